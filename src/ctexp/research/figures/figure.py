"""A figure: a number with its interval, and where it came from, so that anybody can work it out again."""

import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ctexp.core import files
from ctexp.core.metric_names import METRICS
from ctexp.record.documents import Part, Sha256, Text
from ctexp.research.figures.words import MARK_LENGTH, Form, Quote, told

Step = str | int
Formula = Literal["mean", "sd", "difference", "sum", "minimum", "maximum"]


def leads_elsewhere(path: str) -> bool:
    """Whether a path is not below the folder that it is relative to."""
    return path.startswith("/") or ".." in PurePosixPath(path).parts


class Cited(Part):
    """A number in a file.

    Attributes:
        file: relative to the project's folder, or to the folder of runs where `run` names one.
        run: the run whose directory holds the file; null for a file of the project.
        sha256: of the whole file.
        key: the way to it in the document: to a number, or to `{value, low, high}`.
    """

    kind: Literal["file"] = "file"
    file: Text
    run: Text | None = None
    sha256: Sha256
    key: tuple[Step, ...]

    @model_validator(mode="after")
    def _is_what_it_says(self) -> "Cited":
        if leads_elsewhere(self.file):
            raise ValueError(f"{self.file} leads elsewhere")
        if self.run is not None and PurePosixPath(self.file).parts[:1] != (self.run,):
            raise ValueError(f"{self.file} is no file of the run {self.run}")
        if any(str(step).partition("/")[0] == "test" for step in self.key):
            raise ValueError("the test split stays sealed")
        return self


class Compared(Part):
    """A difference between two experiments, candidate less baseline, by the paired comparison.

    Attributes:
        baseline: its runs; `candidate` likewise.
        metric: without its split, `macro_f1`.
        files: SHA-256 of the tables of predictions, by run.
        family: the metrics that were judged together.
        alpha: how often the whole family may call a difference where there is none.
        verdict: what the candidate is by this metric, corrected for the whole family.
    """

    kind: Literal["comparison"] = "comparison"
    baseline: tuple[Text, ...]
    candidate: tuple[Text, ...]
    split: Text
    metric: Text
    files: dict[str, Sha256]
    family: tuple[Text, ...]
    alpha: float
    verdict: Literal["better", "worse", "undecided"]

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "Compared":
        if not self.baseline or not self.candidate:
            raise ValueError("a side of the comparison has no runs")
        if set(self.files) != {*self.baseline, *self.candidate}:
            raise ValueError("a comparison hashes the predictions of its runs, and no others")
        if set(self.baseline) & set(self.candidate):
            raise ValueError("a run stands on both sides of the comparison")
        if self.metric not in self.family:
            raise ValueError(f"{self.metric} is none of the metrics that were judged together")
        if unknown := [name for name in self.family if name not in METRICS]:
            raise ValueError(f"{unknown[0]} is no metric")
        if self.split == "test":
            raise ValueError("the test split stays sealed")
        if away := [name for name in (*self.files, self.split) if "/" in name or leads_elsewhere(name)]:
            raise ValueError(f"{away[0]} leads elsewhere")
        return self


class Derived(Part):
    """Worked out of other figures.

    Attributes:
        formula: see `research.deriving`.
    """

    kind: Literal["derived"] = "derived"
    formula: Formula
    of: tuple["Figure", ...]


class Reported(Part):
    """Said by a handler, which nobody can work out again without running it."""

    kind: Literal["reported"] = "reported"


Source = Annotated[Cited | Compared | Derived | Reported, Field(discriminator="kind")]


class Figure(Part):
    """A number.

    Attributes:
        value: null where it is undefined.
        low: of the 95 % interval; null where there is none.
        high: likewise.
        exact: whether it was counted, so that there is nothing to be unsure of.
        digits: behind the point, as it is told to people.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    exact: bool = False
    digits: int = Field(default=3, ge=0, le=9)
    source: Source = Reported()

    @model_validator(mode="after")
    def _interval_holds_the_value(self) -> "Figure":
        if (self.low is None) != (self.high is None):
            raise ValueError("an interval has two ends")
        if self.low is None or self.high is None:
            return self
        if self.value is None or not self.low <= self.value <= self.high:
            raise ValueError(f"the interval {self.low:g} to {self.high:g} does not hold the value")
        return self

    def __float__(self) -> float:
        if self.value is None:
            raise ValueError("the figure is undefined")
        return self.value

    @property
    def counted(self) -> bool:
        """Whether it is a count, whatever a handler calls one: a share is none."""
        return self.exact and self.value is not None and self.value.is_integer()

    @property
    def sha256(self) -> str:
        """Of all that it says but how many digits are told."""
        said = self.model_dump(mode="json", exclude={"digits"})
        return files.sha256_bytes(json.dumps(said, sort_keys=True, separators=(",", ":")).encode())

    @property
    def mark(self) -> str:
        """What a text cites it by; see `words`."""
        return self.sha256[:MARK_LENGTH]

    def said(self, spec: str = "") -> str:
        """Number and interval as people read them, without a mark.

        Args:
            spec: `.2f`, `+.2f`, `.1%` or nothing; see `words.Form`.

        Raises:
            ValueError: it is none of these.
        """
        return told(self.value, self.low, self.high, self.exact, Form.of(spec, self.digits))

    def as_quoted(self, quote: Quote) -> str:
        """What a text that cites it would have to say, in the form it says it in."""
        text = told(self.value, self.low, self.high, self.exact, quote.form)
        return text if quote.whole else text.partition(" (")[0]

    def __format__(self, spec: str) -> str:
        return f"{self.said(spec)}[^{self.mark}]"

    def __str__(self) -> str:
        return format(self, "")

    def whole(self) -> Iterator["Figure"]:
        """It and all that it was derived from, itself first."""
        yield self
        if isinstance(self.source, Derived):
            for part in self.source.of:
                yield from part.whole()


Derived.model_rebuild()
