"""The figures of a report card as SVG, to be put into a page: intervals, cost, budget curves, the split of failures.

An entry has one number, and an agent with its model one color, in all figures of a card, so that a figure can be read
with its table. Systems that were asked other questions, or in another setting, never share a figure.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import groupby

from webfarer.evals._card_tables import CALLED
from webfarer.evals._card_types import FATES, Card, Curve, Entry, Fate
from webfarer.evals.benches._svg import COLORS, Drawing, Panel
from webfarer.evals.statistics import Estimate

FATE_COLORS: dict[Fate, str] = {
    "right": "#2a8c4a",
    "never_found": "#1f6fb4",
    "budget_spent": "#b8790f",
    "wrong_on_page": "#b3303b",
    "gold_unknown": "#8d4fb3",
    "failed": "#5c5c5c",
    "unjudged": "#9a9a9a",
    "unfinished": "#c9c9c9",
}
_METERS = {
    "usd": "US dollars an item",
    "tokens": "tokens an item",
    "pages": "pages an item",
    "steps": "steps an item",
}
_WIDTH, _NAMES, _ROW = 760, 230, 24
_NAME = 36  # characters
_LEAST = 8  # per cent of a bar that has room for its figure


Look = Mapping[str, tuple[int, str]]
"""Number and color of every entry, by name."""


def look(card: Card) -> Look:
    """Return how the entries of a card are shown."""
    systems = list(dict.fromkeys((entry.agent, entry.model) for entry in card.entries))
    return {
        entry.name: (number, COLORS[systems.index((entry.agent, entry.model)) % len(COLORS)])
        for number, entry in enumerate(card.entries, 1)
    }


def figures(card: Card) -> Iterable[tuple[str, str]]:
    """Yield title and SVG of every figure that has something to show."""
    shown = look(card)
    for (title, setting), group in groupby(sorted(card.entries, key=_place), key=_place):
        entries = list(group)
        about = f"{title}, setting {setting}"
        yield f"Accuracy, {about}", _intervals(entries, shown)
        yield f"What came of the attempts, {about}", _split(entries, shown)
        meters = [meter for meter in _METERS if any(entry.fare[meter].total for entry in entries)]
        if meters:
            yield f"Accuracy against cost, {about}", "".join(_cost(entries, shown, meter) for meter in meters)
    for meter, curves in groupby(sorted(card.curves, key=lambda curve: curve.meter), key=lambda curve: curve.meter):
        yield f"Accuracy by budget of {meter}", _budgets(list(curves), shown)


def _place(entry: Entry) -> tuple[str, str]:
    return entry.title, entry.setting


def _svg(drawing: Drawing, label: str) -> str:
    """Return a drawing as an element of a page."""
    head = f'<svg viewBox="0 0 {drawing.width} {drawing.height}" role="img" aria-label="{escape(label)}"'
    return "\n".join([f'{head} style="max-width:{drawing.width}px">', *drawing.parts, "</svg>"])


def _dot(panel: Panel, x: float, estimate: Estimate, hue: str) -> None:
    """Draw an accuracy, in per cent, with its interval upright."""
    panel.line([(x, 100 * estimate.low), (x, 100 * estimate.high)], hue)
    across, up = panel.at((x, 100 * estimate.mean))
    panel.drawing.path(f"M{across - 2:.1f} {up:.1f}a2 2 0 1 0 4 0a2 2 0 1 0 -4 0", hue, width=4)


def _rows(entries: Sequence[Entry], shown: Look, below: int) -> tuple[Drawing, Panel]:
    """Return a drawing with a row for each entry, from 0 to 100 per cent."""
    height = _ROW * len(entries)
    drawing = Drawing(_WIDTH, height + below)
    panel = Panel(drawing, _NAMES, 10, _WIDTH - _NAMES - 20, height, (0, 100), (0, len(entries)))
    for row, entry in enumerate(entries):
        name = f"{shown[entry.name][0]} {entry.name}"
        cut = name if len(name) <= _NAME else name[: _NAME - 1] + "…"
        drawing.text(_NAMES - 8, 10 + (row + 0.5) * _ROW + 4, cut, "end")
    return drawing, panel


def _intervals(entries: Sequence[Entry], shown: Look) -> str:
    drawing, panel = _rows(entries, shown, 50)
    for value in range(0, 101, 20):
        across, top = panel.at((value, len(entries)))
        drawing.path(f"M{across:.1f} {top:.1f}v{panel.height:.1f}", "#d8d8d8", width=1)
        drawing.text(across, top + panel.height + 14, f"{value}", "middle")
    drawing.text(
        panel.left + panel.width / 2, panel.top + panel.height + 29, "accuracy, %, with its interval", "middle"
    )
    for row, entry in enumerate(entries):
        hue, level = shown[entry.name][1], len(entries) - row - 0.5
        panel.line([(100 * entry.accuracy.low, level), (100 * entry.accuracy.high, level)], hue)
        across, up = panel.at((100 * entry.accuracy.mean, level))
        drawing.path(f"M{across - 2.5:.1f} {up:.1f}a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0 -5 0", hue, width=5)
    return _svg(drawing, "accuracy of each system with its interval")


def _split(entries: Sequence[Entry], shown: Look) -> str:
    used = [fate for fate in FATES if any(entry.fates.get(fate) for entry in entries)]
    drawing, panel = _rows(entries, shown, 30 + 15 * len(used))
    for row, entry in enumerate(entries):
        _stack(panel, entry, 10 + (row + 0.5) * _ROW)
    drawing.legend(_NAMES, panel.top + panel.height + 20, ((CALLED[fate], FATE_COLORS[fate]) for fate in used))
    return _svg(drawing, "right attempts and the causes of wrong ones, by system")


def _stack(panel: Panel, entry: Entry, up: float) -> None:
    """Draw one bar of an entry's attempts; a part that has room for it shows its per cent."""
    begin = 0.0
    for fate in FATES:
        share = 100 * entry.fates.get(fate, 0) / max(1, entry.attempts)
        left, right = panel.at((begin, 0))[0], panel.at((begin + share, 0))[0]
        if share:
            panel.drawing.path(f"M{left:.1f} {up:.1f}h{right - left:.1f}", FATE_COLORS[fate], width=16)
        if share >= _LEAST:
            at = f'x="{(left + right) / 2:.1f}" y="{up + 4:.1f}"'
            panel.drawing.parts.append(f'<text class="on" {at} text-anchor="middle">{share:.0f}</text>')
        begin += share


def _cost(entries: Sequence[Entry], shown: Look, meter: str) -> str:
    most = max(entry.fare[meter].per_item for entry in entries)
    drawing = Drawing(370, 300)
    panel = Panel(drawing, 45, 25, 300, 230, (0, 1.1 * most), (0, 100))
    panel.axes("", _METERS[meter], "accuracy, %")
    places: dict[tuple[int, int], list[str]] = {}
    for entry in entries:
        number, hue = shown[entry.name]
        point = entry.fare[meter].per_item, 100 * entry.accuracy.mean
        _dot(panel, point[0], entry.accuracy, hue)
        across, up = panel.at(point)
        places.setdefault((round(across), round(up)), []).append(str(number))
    for (across, up), numbers in places.items():
        drawing.text(across + 7, up + 4, ", ".join(numbers))
    return _svg(drawing, f"accuracy against {_METERS[meter]}")


def _budgets(curves: Sequence[Curve], shown: Look) -> str:
    limits = [limit for curve in curves for limit, _ in curve.points]
    drawing = Drawing(_WIDTH, 305 + 15 * len(curves))
    panel = Panel(drawing, 45, 25, _WIDTH - 80, 230, (0, 1.05 * max(limits)), (0, 100))
    panel.axes("", f"limit on {curves[0].meter}", "accuracy, %")
    for curve in curves:
        hue = shown[curve.entries[0]][1]
        panel.line([(limit, 100 * accuracy.mean) for limit, accuracy in curve.points], hue)
        for limit, accuracy in curve.points:
            _dot(panel, limit, accuracy, hue)
    drawing.legend(45, 310, ((curve.name, shown[curve.entries[0]][1]) for curve in curves))
    return _svg(drawing, f"accuracy by the limit on {curves[0].meter}")
