"""Differences with their intervals beside a line of no difference; what lies to the right is better."""

from collections.abc import Sequence
from dataclasses import dataclass

from ctexp.reports.charts.axes import Axis, Frame
from ctexp.reports.charts.svg import WIDTH, Drawing

_ROW = 38


@dataclass(frozen=True)
class Difference:
    """One metric: candidate less baseline, turned so that more is better.

    Attributes:
        said: the difference as it is, in words.
        verdict: better, worse or undecided.
    """

    name: str
    value: float
    low: float
    high: float
    said: str
    verdict: str


_SIGNS = {"better": 2, "worse": 4, "undecided": 0}
_KINDS = {"better": "s2", "worse": "s1", "undecided": "s4"}


def chart(title: str, rows: Sequence[Difference]) -> Drawing:
    """Draw one row a metric, a triangle up for better, down for worse, a circle for undecided."""
    reach = max(0.02, *(abs(bound) for row in rows for bound in (row.low, row.high))) * 1.05
    top = 20.0
    bottom = top + _ROW * len(rows)
    described = "; ".join(f"{row.name} {row.said}, {row.verdict}" for row in rows)
    drawing = Drawing(title, described, bottom + 36)
    frame = Frame(Axis("", -reach, reach), Axis("", 0, 1), top, bottom, left=14, right=WIDTH - 14)
    for value in frame.x.ticks(5):
        place = frame.at(value, 0)[0]
        drawing.line((place, top), (place, bottom), "grid")
        drawing.text((place, bottom + 14), f"{value + 0.0:+g}" if value else "0", "tick", "middle")
    zero = frame.at(0, 0)[0]
    drawing.line((zero, top - 4), (zero, bottom), "axis")
    drawing.text((frame.left, 12), "← worse", "name")
    drawing.text((frame.right, 12), "better →", "name", "end")
    for index, row in enumerate(rows):
        level = top + _ROW * index + 27
        kind = _KINDS[row.verdict]
        drawing.text((frame.left, level - 12), row.name, "key")
        drawing.text((frame.right, level - 12), f"{row.said} · {row.verdict}", "key", "end")
        drawing.line((frame.at(row.low, 0)[0], level), (frame.at(row.high, 0)[0], level), f"whisker {kind}")
        drawing.mark((frame.at(row.value, 0)[0], level), _SIGNS[row.verdict], f"mark {kind}")
    drawing.text((zero, bottom + 29), "difference, with its 95 % interval", "name", "middle")
    return drawing
