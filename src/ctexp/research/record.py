"""What came of a handler: the one document that assessments, gates and findings are computed from."""

from collections.abc import Iterable
from typing import Literal

from pydantic import Field, model_validator

from ctexp.record.documents import Document, Part, Sha256, Text, UtcTime
from ctexp.record.git import GitState
from ctexp.record.manifest import Dataset
from ctexp.research.figures import Figure
from ctexp.research.figures.figure import leads_elsewhere

ARTIFACT = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"
"""What the file of an artifact may be called."""


class Artifact(Part):
    """Something a handler saved.

    Attributes:
        file: relative to the project's folder.
    """

    name: str = Field(pattern=ARTIFACT)
    file: Text
    sha256: Sha256
    bytes: int = Field(ge=0)

    @model_validator(mode="after")
    def _lies_here(self) -> "Artifact":
        if leads_elsewhere(self.file):
            raise ValueError(f"{self.file} leads elsewhere")
        return self


class Broken(Part):
    """Why a handler did not come to its end.

    Attributes:
        hint: what to do about it.
        traceback: the whole of it; empty where there is none.
    """

    kind: Text
    message: Text
    hint: Text = ""
    traceback: Text = ""


class Basis(Part):
    """What an answer rests on: where one of these is another, the answer is out of date.

    Attributes:
        handler: SHA-256 of its file and of the files beside it that it imports; null where it is missing.
        plan: SHA-256 of what the plan says of the experiment.
        data: SHA-256 of the catalog, by data set, `phantom`, and of the split, `phantom/clean`.
        overrides: what all its trainings were asked for beyond what the handler says.
    """

    handler: Sha256 | None
    plan: Sha256
    data: dict[str, Sha256] = Field(default_factory=dict)
    overrides: tuple[Text, ...] = ()


class Answer(Document):
    """`research/results/<experiment>/<sub>.json`: written when a handler has ended, however it ended.

    Attributes:
        function: the handler's, whose name is the prefix of what it logs.
        stub: whether its figures are made up, to try the wiring.
        finding: in words; numbers in it are followed by the marks of their figures.
        metrics: by the names the handler gave them.
        cited: figures that the finding cites and that are no metrics.
        runs: trainings it rests on, in the order they were used.
        caveats: what keeps its figures from being believed whole; see `caveats`.
        seen: when figures of this part had first been seen while the plan asked something else of it; null
            where it has always asked the same.
        command: to copy and paste in the project's folder.
    """

    experiment: Text
    sub: Text
    function: Text = ""
    state: Literal["completed", "failed"]
    stub: bool = False
    finding: Text = ""
    metrics: dict[str, Figure] = Field(default_factory=dict)
    cited: tuple[Figure, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    runs: tuple[Text, ...] = ()
    caveats: tuple[Text, ...] = ()
    seen: UtcTime | None = None
    error: Broken | None = None
    basis: Basis
    git: GitState
    command: Text = ""
    started: UtcTime
    ended: UtcTime
    seconds: float = Field(ge=0)

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "Answer":
        if (self.state == "failed") != (self.error is not None):
            raise ValueError("a failed answer, and only that, says why")
        return self

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All that it tells: its metrics, then what its finding cites besides."""
        return (*self.metrics.values(), *self.cited)

    @property
    def moved(self) -> str:
        """That its question was changed after a look at figures, one line; empty where it was not."""
        if self.seen is None:
            return ""
        return f"the criteria (or the plan's part) changed after figures had been seen, {self.seen[:10]}"

    def by_mark(self) -> dict[str, Figure]:
        """Every figure of it, and all they were derived from, by the mark that cites it."""
        return {part.mark: part for figure in self.figures for part in figure.whole()}


def caveats(datasets: Iterable[Dataset]) -> tuple[str, ...]:
    """What the data of trainings make of their figures, one line each and none twice."""
    lines = []
    for its in datasets:
        if its.synthetic:
            lines.append(f"{its.name}: drawn by a program, so that nothing here is about patients")
        # The test split is sealed: what is wrong with it touches no figure of research.
        lines += [f"{its.name}: {line}" for line in its.warnings if not _about_test(line)]
    return tuple(dict.fromkeys(lines))


def _about_test(warning: str) -> bool:
    return warning.startswith("test:") or " test images " in warning
