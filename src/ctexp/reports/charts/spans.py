"""Who worked on what and when: a row for each agent, a block for each trial."""

from collections.abc import Sequence
from dataclasses import dataclass

from ctexp.reports.charts.axes import Axis, Frame
from ctexp.reports.charts.svg import WIDTH, Drawing

_ROW = 38
_LEGEND = 15


@dataclass(frozen=True)
class Span:
    """One trial, in the unit of the axis; `kind` is a class of the style sheet."""

    begin: float
    end: float
    kind: str


def chart(
    title: str,
    description: str,
    time: Axis,
    rows: Sequence[tuple[str, Sequence[Span]]],
    legend: Sequence[tuple[str, str]],
) -> Drawing:
    """Draw it.

    Args:
        title: what it is.
        description: what it shows, in words.
        time: the axis below.
        rows: from top to bottom.
        legend: a kind and what it is called.
    """
    top = 4.0
    bottom = top + _ROW * len(rows)
    drawing = Drawing(title, description, bottom + 40 + _LEGEND * len(legend))
    frame = Frame(time, Axis("", 0, 1), top, bottom, left=14, right=WIDTH - 14)
    for value in time.ticks():
        place = frame.at(value, 0)[0]
        drawing.line((place, top), (place, bottom), "grid")
    frame.draw_below(drawing)
    for index, (name, spans) in enumerate(rows):
        above = top + _ROW * index
        drawing.text((frame.left, above + 12), name, "key")
        for span in spans:
            start, end = frame.at(span.begin, 0)[0], frame.at(span.end, 0)[0]
            drawing.rect((start, above + 17), max(0.8, end - start - 0.6), 14, f"span {span.kind}")
    for index, (kind, name) in enumerate(legend):
        level = bottom + 34 + _LEGEND * (index + 0.6)
        drawing.rect((frame.left, level - 5), 26, 10, f"span {kind}")
        drawing.text((frame.left + 33, level + 4), name, "key")
    return drawing
