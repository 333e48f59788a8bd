"""Lines over an axis: learning curves, ROC, precision and recall."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ctexp.reports.charts.axes import LEGEND, Axis, Frame
from ctexp.reports.charts.svg import Drawing

_KEPT = 240  # points of a line: more than a line of 300 pixels can show are left out


@dataclass(frozen=True)
class Line:
    """One line; a value that is None or not finite leaves a gap.

    Attributes:
        name: what the legend calls it.
        kind: `s0` to `s4`, a colour with a dash of its own, or `guess`, the line of no skill.
        marked: points that get a sign.
    """

    name: str
    xs: Sequence[float]
    ys: Sequence[float | None]
    kind: str
    marked: Sequence[tuple[float, float]] = ()


def chart(
    title: str,
    description: str,
    x: Axis,
    y: Axis,
    lines: Sequence[Line],
    *,
    at: float | None = None,
    square: bool = False,
) -> Drawing:
    """Draw lines in one frame, their legend below.

    Args:
        title: what it is.
        description: what it shows, in words.
        x: the axis below.
        y: the axis at the left.
        lines: back to front.
        at: where a dotted upright line stands, for example at the best epoch.
        square: whether both axes get the same length, as an ROC curve wants.
    """
    named = [line for line in lines if line.name]
    top, inner = 28.0, 300.0 if square else 170.0
    height = top + inner + 40 + LEGEND * len(named)
    drawing = Drawing(title, description, height)
    frame = Frame(x, y, top, top + inner)
    frame.draw(drawing)
    if at is not None:
        drawing.line(frame.at(at, y.low), frame.at(at, y.high), "best")
    for line in lines:
        for part in _unbroken(line):
            drawing.path([frame.at(a, b) for a, b in part], f"line {line.kind}")
        for place in line.marked:
            drawing.mark(frame.at(*place), _sign(line.kind), f"mark {line.kind}")
    for index, line in enumerate(named):
        left, level = frame.entry(drawing, index, line.name)
        drawing.path([(left, level), (left + 26, level)], f"line {line.kind}")
        if line.marked:
            drawing.mark((left + 13, level), _sign(line.kind), f"mark {line.kind}")
    return drawing


def _sign(kind: str) -> int:
    return int(kind[1:]) if kind[1:].isdecimal() else 0


def _unbroken(line: Line) -> list[list[tuple[float, float]]]:
    """The pieces between gaps, thinned to what can be seen."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for x, y in zip(line.xs, line.ys, strict=True):
        if y is None or not math.isfinite(y):
            pieces.append([])
        else:
            pieces[-1].append((x, y))
    return [_thinned(piece) for piece in pieces if piece]


def _thinned(piece: list[tuple[float, float]]) -> list[tuple[float, float]]:
    if len(piece) <= _KEPT:
        return piece
    kept = np.unique(np.linspace(0, len(piece) - 1, _KEPT).round().astype(int))
    return [piece[index] for index in kept]
