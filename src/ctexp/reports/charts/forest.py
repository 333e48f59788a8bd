"""Differences with their intervals beside a line of no difference; each row says which side is better."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import copysign
from statistics import median

from ctexp.reports.charts.axes import Axis, Frame
from ctexp.reports.charts.svg import WIDTH, Drawing

_ROW = 60
_BAND = (33, 51)  # of a row: what is drawn stands apart from what is written
_ARROW = 5.0


@dataclass(frozen=True)
class Difference:
    """One metric: candidate less baseline, with its sign as it is.

    Attributes:
        said: the difference in words.
        verdict: better, worse or undecided.
        higher: whether a higher value of the metric is better.
    """

    name: str
    value: float
    low: float
    high: float
    said: str
    verdict: str
    higher: bool = True

    @property
    def reach(self) -> float:
        """How far it goes from no difference."""
        return max(abs(self.low), abs(self.high), abs(self.value))

    @property
    def better(self) -> str:
        """Which side is better."""
        return "higher is better" if self.higher else "lower is better"


_SIGNS = {"better": 2, "worse": 4, "undecided": 0}
_KINDS = {"better": "s2", "worse": "s1", "undecided": "s4"}


def chart(title: str, rows: Sequence[Difference]) -> Drawing:
    """Draw one row a metric, a triangle up for better, down for worse, a circle for undecided.

    An interval that is much wider than the others is cut, with an arrow at the end where it goes on.
    """
    reach = _reach(rows)
    cut = any(row.reach > reach for row in rows)
    top = 4.0
    bottom = top + _ROW * len(rows)
    described = "; ".join(f"{row.name} {row.said}, {row.verdict}, {row.better}" for row in rows)
    drawing = Drawing(title, described, bottom + (50 if cut else 36))
    frame = Frame(Axis("", -reach, reach), Axis("", 0, 1), top, bottom, left=14, right=WIDTH - 14)
    ticks = {value: frame.at(value, 0)[0] for value in frame.x.ticks(5)}
    for value, place in ticks.items():
        drawing.text((place, bottom + 14), f"{value + 0.0:+g}" if value else "0", "tick", "middle")
    for index, row in enumerate(rows):
        _draw(drawing, frame, row, top + _ROW * index, list(ticks.values()))
    middle = frame.at(0, 0)[0]
    drawing.text((middle, bottom + 29), "candidate less baseline, 95 % interval", "name", "middle")
    if cut:
        drawing.text((middle, bottom + 43), "an arrow: the interval goes on", "name", "middle")
    return drawing


def _reach(rows: Sequence[Difference]) -> float:
    """Where the axis ends: twice as far as a usual row goes, every difference itself inside."""
    usual = 2 * median(row.reach for row in rows)
    inside = 1.25 * max(abs(row.value) for row in rows)
    return max(0.02, min(max(row.reach for row in rows), max(usual, inside))) * 1.05


def _draw(drawing: Drawing, frame: Frame, row: Difference, top: float, grid: Sequence[float]) -> None:
    above, below = top + _BAND[0], top + _BAND[1]
    level, kind = (above + below) / 2, _KINDS[row.verdict]
    drawing.text((frame.left, top + 13), row.name, "key")
    drawing.text((frame.right, top + 13), row.verdict, "key", "end")
    drawing.text((frame.left, top + 27), row.said, "key")
    drawing.text(
        (frame.right, top + 27), f"{row.better} →" if row.higher else f"← {row.better}", "name", "end"
    )
    for place in grid:
        drawing.line((place, above), (place, below), "grid")
    zero = frame.at(0, 0)[0]
    drawing.line((zero, above), (zero, below), "axis")
    drawing.line((frame.at(row.low, 0)[0], level), (frame.at(row.high, 0)[0], level), f"whisker {kind}")
    for bound in (row.low, row.high):
        if abs(bound) > frame.x.high:
            tip = frame.at(bound, 0)[0]
            for side in (-_ARROW, _ARROW):
                back = tip - copysign(_ARROW, bound)
                drawing.line((tip, level), (back, level + side), f"whisker {kind}")
    drawing.mark((frame.at(row.value, 0)[0], level), _SIGNS[row.verdict], f"mark {kind}")
