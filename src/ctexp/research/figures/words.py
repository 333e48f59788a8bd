"""A number as people read it, always with its interval; and the numbers that a text cites, read back.

A cited number is followed by a mark, `[^3f9a01bc7d]`, which Markdown shows as a footnote. The mark is the
beginning of the figure's hash: another value, another file, another key would have another mark.

    0.504 (95 % CI 0.386 to 0.615)[^3f9a01bc7d]      with its interval, as figures write themselves
    0.504[^3f9a01bc7d]                               the number alone, in a text by people
    50.4 % (95 % CI 38.6 to 61.5 %)[^3f9a01bc7d]     as a percentage
    12[^0a66f1c2d9]                                  counted: there is nothing to be unsure of
    undefined[^77ab10fe02]
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

MARK_LENGTH = 10
"""Characters of a hash that a mark shows."""

_SPEC = re.compile(r"(?P<signed>\+?)(?:\.(?P<digits>[0-9]))?(?P<unit>[f%]?)")
_NUMBER = r"[-+−–]?[0-9]+(?:\.[0-9]+)?"
_MINUS = re.compile("[−–]")  # as people type it
_INTERVAL = rf"\((?:95 % CI {_NUMBER} to {_NUMBER}(?: %)?|no interval)\)"
_QUOTE = re.compile(
    rf"(?P<said>(?<![0-9.])(?P<value>{_NUMBER}(?: %)?|undefined)(?P<interval> {_INTERVAL})?)?"
    rf"(?<!\\)\[\^(?P<mark>[0-9a-fA-F]{{{MARK_LENGTH}}})\]"
)


class Form(NamedTuple):
    """How a number is written.

    Attributes:
        digits: behind the point.
        percent: as a percentage.
        signed: with a sign where it is positive, as differences are.
    """

    digits: int
    percent: bool = False
    signed: bool = False

    @classmethod
    def of(cls, spec: str, digits: int) -> "Form":
        """What a format specification asks for: `.2f`, `+.3f`, `.1%`, `+`, or nothing.

        Args:
            spec: what stands behind the colon of `f"{figure:.2f}"`.
            digits: where it names none.

        Raises:
            ValueError: it asks for something else.
        """
        match = _SPEC.fullmatch(spec)
        if match is None:
            raise ValueError(f"{spec!r}: a figure takes the forms .2f, +.2f, .1%, +.1%")
        percent = match["unit"] == "%"
        fewer = max(0, digits - 2) if percent else digits
        return cls(int(match["digits"]) if match["digits"] else fewer, percent, bool(match["signed"]))

    def write(self, value: float) -> str:
        """A number without its unit; never a negative zero."""
        return f"{value * 100 if self.percent else value:{'+' if self.signed else ''}z.{self.digits}f}"


def told(value: float | None, low: float | None, high: float | None, exact: bool, form: Form) -> str:
    """A number with its interval, or the word that there is none.

    Args:
        value: None where it is undefined.
        low: of the 95 % interval; None where there is none.
        high: likewise.
        exact: whether it was counted.
        form: how to write it.
    """
    if value is None:
        return "undefined"
    unit = " %" if form.percent else ""
    said = form.write(value) + unit
    if exact:
        return said
    if low is None or high is None:
        return f"{said} (no interval)"
    return f"{said} (95 % CI {form.write(low)} to {form.write(high)}{unit})"


class Quote(NamedTuple):
    """A number that a text cites.

    Attributes:
        said: the number as it stands there, with its interval where that is told; empty where no number that
            could be read stands before the mark.
        mark: without its brackets.
        start: where in the text it begins.
        whole: whether the interval is told.
    """

    said: str
    mark: str
    start: int
    form: Form
    whole: bool


def quotes(text: str) -> Iterator[Quote]:
    """All cited numbers of a text, in its order; definitions of footnotes and escaped marks are none."""
    for match in _QUOTE.finditer(text):
        if not match["said"] and text.startswith(":", match.end()):
            begin = text.rfind("\n", 0, match.start()) + 1
            if not text[begin : match.start()].strip():
                continue
        value = match["value"] or ""
        number = value.removesuffix(" %")
        digits = len(number.partition(".")[2])
        said = _MINUS.sub("-", match["said"] or "")
        form = Form(digits, percent=value.endswith(" %"), signed="+" in said)
        yield Quote(said, match["mark"].lower(), match.start(), form, match["interval"] is not None)
