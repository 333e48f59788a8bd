"""Shares as bars, each with how far it may be off."""

from collections.abc import Sequence
from dataclasses import dataclass

from ctexp.reports.charts.axes import Axis, in_rows
from ctexp.reports.charts.svg import Drawing

_ROW = 40


@dataclass(frozen=True)
class Bar:
    """A share from 0 to 1 with its range; `said` is the same in words."""

    name: str
    value: float
    low: float
    high: float
    said: str


def chart(title: str, axis: str, bars: Sequence[Bar]) -> Drawing:
    """A row for each, its name and number above the bar."""
    described = "; ".join(f"{bar.name} {bar.said}" for bar in bars)
    drawing, frame = in_rows(title, described, Axis(axis, 0, 1), len(bars), _ROW)
    for index, bar in enumerate(bars):
        above = frame.top + _ROW * index
        drawing.text((frame.left, above + 13), bar.name, "key")
        drawing.text((frame.right, above + 13), bar.said, "key", "end")
        ends = [frame.at(value, 0)[0] for value in (0, bar.value, bar.low, bar.high)]
        drawing.rect((ends[0], above + 19), max(1.0, ends[1] - ends[0]), 12, "bar")
        drawing.line((ends[2], above + 25), (ends[3], above + 25), "whisker s4")
    return drawing
