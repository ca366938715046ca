"""Plain line charts as SVG: a few panels, axes with round ticks, a legend; small files whose changes can be read.

Not a plotting library. Coordinates have one decimal, and everything lies on white, so that it can be read on any page.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

COLORS = ("#1f6fb4", "#d1600a", "#2a8c4a", "#8d4fb3", "#b3303b", "#5c5c5c")
_FAINT = "#d8d8d8"
_DARK = "#333"
_TICKS = 5

Point = tuple[float, float]


@dataclass
class Drawing:
    """A sheet of so many pixels."""

    width: int
    height: int
    parts: list[str] = field(default_factory=list)

    def text(self, x: float, y: float, said: str, anchor: str = "start") -> None:
        """Write a line; anchor is start, middle or end."""
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(said)}</text>')

    def path(self, commands: str, color: str, *, width: float = 1.5, dash: str = "") -> None:
        """Draw a path."""
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(f'<path d="{commands}" fill="none" stroke="{color}" stroke-width="{width}"{dashed}/>')

    def legend(self, x: float, y: float, names: Iterable[tuple[str, str]]) -> None:
        """Write names under each other, each with its color before it."""
        for row, (name, color) in enumerate(names):
            self.path(f"M{x:.1f} {y + 15 * row - 4:.1f}h18", color, width=3)
            self.text(x + 24, y + 15 * row, name)

    def save(self, path: Path) -> None:
        """Write the file."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
            f'font-family="sans-serif" font-size="11" fill="{_DARK}">'
        )
        body = [head, f'<rect width="{self.width}" height="{self.height}" fill="#fff"/>', *self.parts, "</svg>"]
        path.write_text("\n".join(body) + "\n")


@dataclass
class Panel:
    """A rectangle of a drawing with two axes.

    Attributes:
        drawing: where.
        left, top, width, height: of the rectangle.
        x, y: the ranges shown.
    """

    drawing: Drawing
    left: float
    top: float
    width: float
    height: float
    x: Point
    y: Point

    def at(self, point: Point) -> Point:
        """Return where a point lies in the drawing."""
        across = (point[0] - self.x[0]) / ((self.x[1] - self.x[0]) or 1)
        up = (point[1] - self.y[0]) / ((self.y[1] - self.y[0]) or 1)
        return self.left + across * self.width, self.top + (1 - up) * self.height

    def axes(self, title: str, x_label: str, y_label: str) -> None:
        """Draw the frame, a faint grid with ticks, and labels."""
        bottom = self.top + self.height
        for value in ticks(*self.y):
            _, y = self.at((self.x[0], value))
            self.drawing.path(f"M{self.left:.1f} {y:.1f}h{self.width:.1f}", _FAINT, width=1)
            self.drawing.text(self.left - 5, y + 4, f"{value:g}", "end")
        for value in ticks(*self.x):
            x, _ = self.at((value, self.y[0]))
            self.drawing.text(x, bottom + 14, f"{value:g}", "middle")
        self.drawing.path(f"M{self.left:.1f} {self.top:.1f}V{bottom:.1f}h{self.width:.1f}", _DARK, width=1)
        self.drawing.text(self.left, self.top - 7, f"{title} – {y_label}" if title else y_label)
        self.drawing.text(self.left + self.width / 2, bottom + 29, x_label, "middle")

    def line(self, points: Sequence[Point], color: str, *, dash: str = "") -> None:
        """Draw a line through points."""
        places = [self.at(point) for point in points]
        if places:
            self.drawing.path("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places), color, dash=dash)

    def marks(self, places: Iterable[float], low: float, high: float, color: str) -> None:
        """Draw upright strokes at values of x, from one height to another."""
        begin, end = self.at((0, high))[1], self.at((0, low))[1]
        strokes = "".join(f"M{self.at((place, 0))[0]:.1f} {begin:.0f}V{end:.0f}" for place in places)
        if strokes:
            self.drawing.path(strokes, color, width=1)


def ticks(low: float, high: float) -> list[float]:
    """Return a few round values between two."""
    if high <= low:
        return [low]
    rough = (high - low) / _TICKS
    unit = 10 ** math.floor(math.log10(rough))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough)
    first = math.ceil(low / step - 1e-9)
    return [round(number * step, 9) for number in range(first, math.floor(high / step + 1e-9) + 1)]
