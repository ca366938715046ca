"""Curves as a figure of a page: an SVG with its caption.

Not a plotting library; :mod:`webfarer.evals.benches._svg` draws.
"""

from collections.abc import Mapping, Sequence
from html import escape

from webfarer.evals.benches._svg import COLORS, Drawing, Panel, Point

_WIDTH, _HEIGHT = 760, 260
_LEGEND = 190
_DASHES = ("", "6 3", "2 3")

Curves = Mapping[tuple[str, str], Sequence[Point]]
"""Points by name and kind; curves of one name share a color, those of one kind a dash."""


def chart(title: str, across: str, curves: Curves, *, unit: bool = False) -> str:
    """Return a figure of HTML; "" without points.

    Args:
        title: what it shows.
        across: the label of the axis of x.
        curves: what is drawn; only one kind, "", has no place in the legend.
        unit: both axes go from 0 to 1, with a diagonal.
    """
    drawn = {name: points for name, points in curves.items() if points}
    if not drawn:
        return ""
    xs, ys = zip(*(point for points in drawn.values() for point in points), strict=True)
    drawing = Drawing(_WIDTH, _HEIGHT)
    x, y = ((0.0, 1.0), (0.0, 1.0)) if unit else ((min(xs), max(xs)), (min(0.0, *ys), max(ys)))
    panel = Panel(drawing, 50, 15, _HEIGHT - 60 if unit else _WIDTH - 60 - _LEGEND, _HEIGHT - 60, x, y)
    panel.axes("", across, "")
    if unit:
        panel.line([(0, 0), (1, 1)], "#d8d8d8")
    names, kinds = (list(dict.fromkeys(key[place] for key in drawn)) for place in (0, 1))
    for row, ((name, kind), points) in enumerate(drawn.items()):
        color, dash = COLORS[names.index(name) % len(COLORS)], _DASHES[kinds.index(kind) % len(_DASHES)]
        panel.line(points, color, dash=dash)
        left, top = panel.left + panel.width + 15, panel.top + 15 * row + 10
        drawing.path(f"M{left:.1f} {top - 4:.1f}h24", color, width=2, dash=dash)
        drawing.text(left + 30, top, f"{name} {kind}".strip())
    head = f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}"'
    svg = f'{head} style="max-width:{_WIDTH}px">{"".join(drawing.parts)}</svg>'
    return f"<figure><figcaption>{escape(title)}</figcaption>{svg}</figure>"
