"""The card of a fine-tuning: what was trained on what and how, its curves, and what it took; JSON and one static page.

The page is made of the JSON alone. Not a log that grows: both are written once, at the end. Figures of time and memory
are those of the process that ended it; all others are equal for equal arguments.
"""

import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from webfarer.evals import sheet
from webfarer.evals.bench import Row
from webfarer.evals.benches._svg import COLORS, Drawing, Panel, Point
from webfarer.evals.records import put

JSON, PAGE = "card.json", "card.html"
_WIDTH, _HEIGHT = 760, 230
_POINTS = 200  # of a curve that is drawn


def write(folder: Path, card: Mapping[str, Any]) -> None:
    """Write card.html, then card.json, which says that all is done."""
    put(folder / PAGE, page(card).encode())
    put(folder / JSON, (json.dumps(card, indent=1, ensure_ascii=False) + "\n").encode())


def page(card: Mapping[str, Any]) -> str:
    """Return the card as a page of HTML."""
    points = card["points"]
    losses = [(float(point["step"]), float(point["loss"])) for point in points]
    held_out, right = ([(float(step), each) for step, each in card[name].items()] for name in ("scores", "accuracies"))
    facts: list[Row] = [
        {"": name.replace("_", " "), "value": _said(value)}
        for name, value in card.items()
        if name not in ("points", "scores", "accuracies")
    ]
    parts = [
        f"<h1>{escape(str(card['tuner']))} on {escape(str(card['rows']))}</h1>",
        _figure("Loss", {"trained on": _thinned(losses), "held out": held_out}),
        *([_figure("Accuracy on held-out tokens", {"": right})] if right else []),
        _figure("Learning rate", {"": _thinned([(point["step"], point["rate"]) for point in points])}),
        _figure("Norm of the gradient", {"": _thinned([(point["step"], point["norm"]) for point in points])}),
        "<h2>Facts</h2>",
        sheet.table(facts),
    ]
    return sheet.document("Fine-tuning", parts)


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_said(each)}" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _figure(title: str, curves: Mapping[str, list[Point]]) -> str:
    drawn = {name: points for name, points in curves.items() if points}
    heights = [height for points in drawn.values() for _, height in points]
    last = max(step for points in drawn.values() for step, _ in points)
    drawing = Drawing(_WIDTH, _HEIGHT)
    panel = Panel(drawing, 60, 20, _WIDTH - 190, _HEIGHT - 60, (0, last), (min(0.0, *heights), max(heights)))
    panel.axes("", "step", "")
    for points, color in zip(drawn.values(), COLORS, strict=False):
        panel.line(points, color)
    if len(drawn) > 1:
        drawing.legend(_WIDTH - 115, 30, zip(drawn, COLORS, strict=False))
    head = f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{title}" style="max-width:{_WIDTH}px">'
    return f"<figure><figcaption>{title}</figcaption>{head}{''.join(drawing.parts)}</svg></figure>"


def _thinned(points: list[Point]) -> list[Point]:
    """Return means over equal stretches of a curve, at its last step of each."""
    width = -(-len(points) // _POINTS)
    stretches = [points[start : start + width] for start in range(0, len(points), width)]
    return [(stretch[-1][0], sum(height for _, height in stretch) / len(stretch)) for stretch in stretches]
