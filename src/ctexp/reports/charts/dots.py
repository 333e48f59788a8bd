"""Dots in a frame, one a trial, with how far its value may be off; or in rows, one a choice."""

from collections.abc import Sequence
from dataclasses import dataclass

from ctexp.reports.charts.axes import LEGEND, Axis, Frame, in_rows
from ctexp.reports.charts.svg import Drawing

_ROW = 34

SIGNS = {"finished": 0, "best": 2, "pruned": 3}
"""The sign of each kind, so that colour is never the only difference."""

_COLOURS = {"finished": "s0", "best": "s1", "pruned": "s3"}


@dataclass(frozen=True)
class Dot:
    """One trial.

    Attributes:
        kind: of `SIGNS`.
        error: half the length of the line through it; None for no line.
    """

    x: float
    y: float
    kind: str = "finished"
    error: float | None = None


def chart(
    title: str,
    description: str,
    x: Axis,
    y: Axis,
    dots: Sequence[Dot],
    *,
    steps: Sequence[tuple[float, float]] = (),
    legend: Sequence[tuple[str, str]] = (),
) -> Drawing:
    """Dots over an axis of numbers, the best on top.

    Args:
        title: what it is.
        description: what it shows, in words.
        x: the axis below.
        y: the axis at the left.
        dots: in any order.
        steps: the corners of a line, for example of the best so far.
        legend: a kind and what it is called, below; `line` for that of the steps.
    """
    top, inner = 28.0, 170.0
    drawing = Drawing(title, description, top + inner + 40 + LEGEND * len(legend))
    frame = Frame(x, y, top, top + inner)
    frame.draw(drawing)
    drawing.path([frame.at(*corner) for corner in steps], "line step")
    for dot in sorted(dots, key=lambda one: one.kind == "best"):
        if dot.error:
            low, high = (frame.at(dot.x, dot.y + side * dot.error) for side in (-1, 1))
            drawing.line(low, high, "spread")
        drawing.mark(frame.at(dot.x, dot.y), SIGNS[dot.kind], f"mark {_COLOURS[dot.kind]}")
    for index, (kind, name) in enumerate(legend):
        left, level = frame.entry(drawing, index, name)
        if kind == "line":
            drawing.path([(left, level), (left + 26, level)], "line step")
        else:
            drawing.mark((left + 13, level), SIGNS[kind], f"mark {_COLOURS[kind]}")
    return drawing


def rows(title: str, description: str, value: Axis, choices: Sequence[tuple[str, Sequence[Dot]]]) -> Drawing:
    """A row for each choice, the value along it; the x of a dot is its value.

    Args:
        title: what it is.
        description: what it shows, in words.
        value: the axis below.
        choices: the name of each and its trials.
    """
    drawing, frame = in_rows(title, description, value, len(choices), _ROW)
    for index, (name, dots) in enumerate(choices):
        above = frame.top + _ROW * index
        drawing.text((frame.left, above + 12), name, "key")
        for dot in sorted(dots, key=lambda one: one.kind == "best"):
            level = above + 23
            drawing.mark((frame.at(dot.x, 0)[0], level), SIGNS[dot.kind], f"mark {_COLOURS[dot.kind]}")
    return drawing
