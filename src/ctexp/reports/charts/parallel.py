"""Parallel coordinates from top to bottom: an axis for each parameter, a line for each trial.

Axes that lie one below the other have room for their names, and for any number of them, on a phone too.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ctexp.reports.charts.axes import Axis, tick
from ctexp.reports.charts.svg import WIDTH, Drawing

_APART = 62
_LEFT, _RIGHT = 22.0, WIDTH - 22.0
_LETTER = 6.2  # of a name, at 11 pixels


@dataclass(frozen=True)
class Scale:
    """One axis: of numbers, or of choices.

    Attributes:
        axis: of numbers; of choices from 0 to their number less 1.
        choices: their names; empty for numbers.
    """

    name: str
    axis: Axis
    choices: tuple[str, ...] = ()

    def place(self, value: float) -> float:
        """Where a value lies."""
        return _LEFT + self.axis.share(value) * (_RIGHT - _LEFT)

    def ticks(self) -> list[tuple[float, str]]:
        """Values and what stands at them; of many long choices those that have room."""
        if not self.choices:
            return [(value, tick(value)) for value in self.axis.ticks(5)]
        longest = max(len(name) for name in self.choices) * _LETTER
        every = max(1, math.ceil(longest * (len(self.choices) - 1) / (_RIGHT - _LEFT)))
        return [(float(index), name) for index, name in enumerate(self.choices) if index % every == 0]


@dataclass(frozen=True)
class Course:
    """The values of one trial, one an axis; None where a parameter does not apply."""

    values: Sequence[float | None]
    kind: str


def chart(title: str, description: str, scales: Sequence[Scale], courses: Sequence[Course]) -> Drawing:
    """Draw it, the first courses at the back."""
    levels = [26.0 + _APART * index for index in range(len(scales))]
    drawing = Drawing(title, description, levels[-1] + 26)
    for course in courses:
        for part in _unbroken(scales, levels, course.values):
            drawing.path(part, f"course {course.kind}")
    for level, scale in zip(levels, scales, strict=True):
        drawing.line((_LEFT, level), (_RIGHT, level), "axis")
        _label(drawing, (_LEFT - 8, level - 9), scale.name, "key", "start")
        marks = scale.ticks()
        for index, (value, name) in enumerate(marks):
            place = scale.place(value)
            drawing.line((place, level), (place, level + 4), "axis")
            last = bool(scale.choices) and index == len(marks) - 1 and len(marks) > 1
            anchor = "start" if scale.choices and index == 0 else "end" if last else "middle"
            x = place - 14 if anchor == "start" else place + 14 if anchor == "end" else place
            _label(drawing, (x, level + 17), name, "tick", anchor)
    return drawing


def _label(drawing: Drawing, at: tuple[float, float], words: str, kind: str, anchor: str) -> None:
    """Words on a ground of their own, so that no line of a trial crosses them."""
    width = len(words) * _LETTER
    left = at[0] - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
    drawing.rect((left - 3, at[1] - 10), width + 6, 13, "ground")
    drawing.text(at, words, kind, anchor)


def _unbroken(
    scales: Sequence[Scale], levels: Sequence[float], values: Sequence[float | None]
) -> list[list[tuple[float, float]]]:
    """The pieces between axes that a trial has no value on."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for scale, level, value in zip(scales, levels, values, strict=True):
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append((scale.place(value), level))
    return [piece for piece in pieces if piece]
