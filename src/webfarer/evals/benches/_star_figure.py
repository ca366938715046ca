"""Learning curves side by side: a panel for each pool, a line for each way to pick labels."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from webfarer.evals.benches._svg import COLORS, Drawing, Panel, Point

_WIDTH, _HEIGHT, _GAP, _ACROSS = 230.0, 150.0, 60.0, 3

Curve = Sequence[Point]
"""Accuracy over labels."""


def draw(folder: Path, curves: Mapping[str, Mapping[str, Curve]]) -> Path:
    """Draw the curves of every pool that has several; colors go by name.

    Args:
        folder: where the figure goes.
        curves: by pool and by name.
    """
    shown = {pool: named for pool, named in curves.items() if len(named) > 2}
    names = list(dict.fromkeys(name for named in shown.values() for name in named))
    rows = -(-len(shown) // _ACROSS)
    legend = 45 + rows * (_HEIGHT + _GAP)
    drawing = Drawing(int(50 + _ACROSS * (_WIDTH + _GAP)), int(legend + 15 * len(names)))
    for number, (pool, named) in enumerate(shown.items()):
        points = [point for curve in named.values() for point in curve]
        (xs, ys), (row, column) = zip(*points, strict=True), divmod(number, _ACROSS)
        left, top = 45 + column * (_WIDTH + _GAP), 30 + row * (_HEIGHT + _GAP)
        panel = Panel(drawing, left, top, _WIDTH, _HEIGHT, (min(xs), max(xs)), (min(ys), max(ys)))
        panel.axes(pool, "labels", "accuracy")
        for name, curve in named.items():
            panel.line(curve, COLORS[names.index(name) % len(COLORS)])
    drawing.legend(45, legend, zip(names, COLORS, strict=False))
    folder.mkdir(parents=True, exist_ok=True)
    drawing.save(folder / "star-curves.svg")
    return folder / "star-curves.svg"
