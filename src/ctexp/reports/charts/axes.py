"""The frame of a chart: where a value lies on the sheet, round ticks, thin grid lines, names of the axes."""

import math
from dataclasses import dataclass

from ctexp.reports.charts.svg import WIDTH, Drawing, Point

LEGEND = 15
"""The height of one line of a legend."""


@dataclass(frozen=True)
class Axis:
    """The values from `low` to `high`; `name` says of what, with its unit; `log` spaces them by logarithm."""

    name: str
    low: float
    high: float
    whole: bool = False
    log: bool = False

    def ticks(self, most: int = 6) -> list[float]:
        """Round values inside, at most so many: 1, 2 or 5 times a power of ten (apart, unless `log`)."""
        if self.log:
            return self._powers(most)
        span = self.high - self.low
        power = 10 ** math.floor(math.log10(span / most))
        step = next(factor * power for factor in (1, 2, 5, 10) if span / (factor * power) <= most)
        if self.whole:
            step = max(1.0, step)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [index * step for index in range(first, last + 1)]

    def share(self, value: float) -> float:
        """How far along the axis a value lies, 0 to 1; values outside lie at the ends."""
        inside = min(max(value, self.low), self.high)
        if self.log:
            return math.log(inside / self.low) / math.log(self.high / self.low)
        return (inside - self.low) / (self.high - self.low)

    def _powers(self, most: int) -> list[float]:
        """Powers of ten; every second or third of them where there are many, 2 and 5 times them where few."""
        first, last = math.floor(math.log10(self.low) - 1e-9), math.ceil(math.log10(self.high) + 1e-9)
        for factors in ((1, 2, 5), (1,)):
            found = [f * 10.0**power for power in range(first, last + 1) for f in factors]
            inside = [v for v in found if self.low * (1 - 1e-9) <= v <= self.high * (1 + 1e-9)]
            if len(inside) <= most:
                return inside
        return inside[:: math.ceil(len(inside) / most)]


@dataclass(frozen=True)
class Frame:
    """The inner rectangle of a chart.

    Attributes:
        x: the axis below.
        y: the axis at the left.
        top: where the rectangle begins.
        bottom: where it ends.
    """

    x: Axis
    y: Axis
    top: float
    bottom: float
    left: float = 42
    right: float = WIDTH - 10

    def at(self, x: float, y: float) -> Point:
        """Where a pair of values lies; values outside lie on the edge."""
        return (
            _between(x, self.x, self.left, self.right),
            _between(y, self.y, self.bottom, self.top),
        )

    def draw(self, drawing: Drawing) -> None:
        """Grid, ticks and names."""
        for value in self.y.ticks():
            height = self.at(self.x.low, value)[1]
            drawing.line((self.left, height), (self.right, height), "grid")
            drawing.text((self.left - 5, height + 3.5), tick(value), "tick", "end")
        self.draw_below(drawing)
        drawing.text((4, self.top - 14), self.y.name, "name")

    def draw_below(self, drawing: Drawing) -> None:
        """The axis below alone: line, ticks and name."""
        for value in self.x.ticks():
            place = self.at(value, self.y.low)[0]
            drawing.line((place, self.bottom), (place, self.bottom + 3), "axis")
            drawing.text((place, self.bottom + 14), tick(value), "tick", "middle")
        drawing.line((self.left, self.bottom), (self.right, self.bottom), "axis")
        drawing.text(((self.left + self.right) / 2, self.bottom + 28), self.x.name, "name", "middle")

    def entry(self, drawing: Drawing, index: int, name: str) -> Point:
        """Name one line of the legend below; where its sample of 26 pixels begins."""
        level = self.bottom + 34 + LEGEND * (index + 0.6)
        drawing.text((self.left + 33, level + 4), name, "key")
        return self.left, level


def in_rows(
    title: str, description: str, axis: Axis, rows: int, height: float, *, below: float = 36
) -> tuple[Drawing, Frame]:
    """A sheet of rows of one height above an axis, whose grid lines go through all of them."""
    top = 4.0
    bottom = top + height * rows
    drawing = Drawing(title, description, bottom + below)
    frame = Frame(axis, Axis("", 0, 1), top, bottom, left=14, right=WIDTH - 14)
    for value in axis.ticks():
        place = frame.at(value, 0)[0]
        drawing.line((place, top), (place, bottom), "grid")
    frame.draw_below(drawing)
    return drawing, frame


def _between(value: float, axis: Axis, start: float, end: float) -> float:
    return start + axis.share(value) * (end - start)


def tick(value: float) -> str:
    """A value as it stands at an axis."""
    return f"{value + 0.0:g}" if abs(value) < 1e4 else f"{value:.0e}"
