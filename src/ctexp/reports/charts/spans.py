"""Who worked on what and when: a row for each agent, a block for each trial."""

from collections.abc import Sequence
from dataclasses import dataclass

from ctexp.reports.charts.axes import LEGEND, Axis, in_rows
from ctexp.reports.charts.svg import Drawing

_ROW = 38


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
    """Draw it."""
    drawing, frame = in_rows(title, description, time, len(rows), _ROW, below=40 + LEGEND * len(legend))
    for index, (name, spans) in enumerate(rows):
        above = frame.top + _ROW * index
        drawing.text((frame.left, above + 12), name, "key")
        for span in spans:
            start, end = frame.at(span.begin, 0)[0], frame.at(span.end, 0)[0]
            drawing.rect((start, above + 17), max(0.8, end - start - 0.6), 14, f"span {span.kind}")
    for index, (kind, name) in enumerate(legend):
        left, level = frame.entry(drawing, index, name)
        drawing.rect((left, level - 5), 26, 10, f"span {kind}")
    return drawing
