"""A figure: a number with its interval, and where it came from, so that anybody can work it out again."""

from typing import Annotated, Literal

from pydantic import Field

from ctexp.record.documents import Part, Sha256, Text

Step = str | int


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


class Compared(Part):
    """A difference between two experiments, candidate less baseline, by the paired comparison.

    Attributes:
        baseline: its runs; `candidate` likewise.
        metric: without its split, `macro_f1`.
        files: SHA-256 of the tables of predictions, by run.
        family: the metrics that were judged together.
        alpha: how often the whole family may call a difference where there is none.
    """

    kind: Literal["comparison"] = "comparison"
    baseline: tuple[Text, ...]
    candidate: tuple[Text, ...]
    split: Text
    metric: Text
    files: dict[str, Sha256]
    family: tuple[Text, ...]
    alpha: float


class Derived(Part):
    """Worked out of other figures.

    Attributes:
        formula: see `research.deriving`.
    """

    kind: Literal["derived"] = "derived"
    formula: Literal["mean", "sd", "difference", "sum", "minimum", "maximum"]
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

    def __float__(self) -> float:
        if self.value is None:
            raise ValueError("the figure is undefined")
        return self.value


Derived.model_rebuild()
