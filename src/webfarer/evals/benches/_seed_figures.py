"""Figures of the schedules from real runs: four strategies beside each other, and how SEED's queue works.

Bars are the engine's own spans, a row for each text. A draft that is finished waits until the target takes it: that is
the queue. After figures of SEED (arXiv 2406.18200); times are of this machine, not of the paper's.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from webfarer.engine.timeline import Span
from webfarer.evals.benches._svg import COLORS, Drawing, Panel, ticks

_DRAFT, _VERIFY, _WAIT = COLORS[0], COLORS[1], "#b8b8b8"
_BAR, _LANE, _GAP = 12.0, 20.0, 0.4
_LEFT, _WIDTH = 70.0, 700.0
_SHOWN = 0.35
"""The scheduling diagram shows so much of a run from its begin, so that single drafts can be told apart."""
_LEGEND = (("draft", _DRAFT), ("pass of the target", _VERIFY))

Bar = tuple[float, float, float, str]
"""Lane from above, begin, end, color."""


def draw(folder: Path, runs: Mapping[str, Sequence[Span]], queued: str) -> list[Path]:
    """Draw both figures.

    Args:
        folder: where they go.
        runs: spans by the strategy's name.
        queued: the name whose queue is shown.
    """
    folder.mkdir(parents=True, exist_ok=True)
    figures = {"seed-strategies.svg": _strategies(runs), "seed-schedule.svg": _schedule(runs[queued])}
    for name, drawing in figures.items():
        drawing.save(folder / name)
    return [folder / name for name in figures]


def _milliseconds(spans: Sequence[Span]) -> list[Span]:
    """Return the spans with times from the first one's begin, in milliseconds."""
    begin = min(span.start for span in spans)
    return [Span(s.kind, s.numbers, 1e3 * (s.start - begin), 1e3 * (s.end - begin)) for s in spans]


def _texts(spans: Iterable[Span]) -> list[int]:
    return sorted({number for span in spans for number in span.numbers})


def _color(span: Span) -> str:
    return _DRAFT if span.kind == "draft" else _VERIFY


def _strategies(runs: Mapping[str, Sequence[Span]]) -> Drawing:
    shown = {name: _milliseconds(spans) for name, spans in runs.items()}
    longest = max(span.end for spans in shown.values() for span in spans)
    height = _LANE * max(len(_texts(spans)) for spans in shown.values())
    drawing = Drawing(int(_LEFT + _WIDTH + 20), int(30 + len(shown) * (height + 55) + 20))
    for row, (name, spans) in enumerate(shown.items()):
        panel = Panel(drawing, _LEFT, 35 + row * (height + 55), _WIDTH, height, (0, longest), (0, 1))
        lanes = {number: lane for lane, number in enumerate(_texts(spans))}
        _frame(panel, name, {f"text {lane + 1}": lane for lane in lanes.values()})
        bars = [(lanes[number], s.start, s.end, _color(s)) for s in spans for number in s.numbers]
        _bars(panel, bars)
    drawing.legend(_LEFT, drawing.height - 18, _LEGEND[:1])
    drawing.legend(_LEFT + 90, drawing.height - 18, _LEGEND[1:])
    return drawing


def _schedule(spans: Sequence[Span]) -> Drawing:
    every = _milliseconds(spans)
    until = _SHOWN * max(span.end for span in every)
    lanes = {number: lane for lane, number in enumerate(_texts(every))}
    target = len(lanes)
    bars: list[Bar] = []
    for number, lane in lanes.items():
        own = sorted((span for span in every if number in span.numbers), key=lambda span: span.start)
        for span, following in zip(own, [*own[1:], None], strict=True):
            bars.append((lane if span.kind == "draft" else target, span.start, span.end, COLORS[lane % len(COLORS)]))
            if span.kind == "draft" and following is not None:
                bars.append((lane, span.end, following.start, _WAIT))
    drawing = Drawing(int(_LEFT + _WIDTH + 20), int(110 + _LANE * (target + 1)))
    panel = Panel(drawing, _LEFT, 35, _WIDTH, _LANE * (target + 1), (0, until), (0, 1))
    names = {f"text {lane + 1}": lane for lane in range(target)} | {"target": target}
    _frame(
        panel, "drafts and the passes that check them, a color for each text; grey: finished and in the queue", names
    )
    _bars(panel, ((lane, start, min(end, until), color) for lane, start, end, color in bars if start < until))
    return drawing


def _frame(panel: Panel, title: str, lanes: Mapping[str, int]) -> None:
    """Write the title, the names of the lanes and the milliseconds."""
    drawing, bottom = panel.drawing, panel.top + panel.height
    drawing.text(panel.left, panel.top - 6, title)
    for name, lane in lanes.items():
        drawing.text(panel.left - 8, panel.top + (lane + 0.5) * _LANE + 4, name, "end")
    drawing.path(f"M{panel.left:.1f} {panel.top:.1f}V{bottom:.1f}h{panel.width:.1f}", "#333", width=1)
    for value in ticks(*panel.x):
        drawing.text(panel.at((value, 0))[0], bottom + 14, f"{value:g}", "middle")
    drawing.text(panel.left + panel.width, bottom + 27, "ms", "end")


def _bars(panel: Panel, bars: Iterable[Bar]) -> None:
    """Draw bars, those of a color as one path."""
    paths: dict[str, list[str]] = {}
    for lane, start, end, color in bars:
        left, right = panel.at((start, 0))[0], panel.at((end, 0))[0]
        height = panel.top + (lane + 0.5) * _LANE
        paths.setdefault(color, []).append(f"M{left:.1f} {height:.1f}h{max(right - left - _GAP, _GAP):.1f}")
    for color, strokes in paths.items():
        panel.drawing.path("".join(strokes), color, width=_BAR)
