"""How a run ended: the document that is written last, and whose presence alone says that it ended."""

from typing import Final, Literal, NamedTuple

from pydantic import Field, model_validator

from ctexp.core.errors import CtexpError, Diverged, MemoryExhausted, Pruned, Stopped, TimeBudgetUsed
from ctexp.record.documents import Document, Part, Sha256, Text, UtcTime

Ended = Literal["finished", "interrupted", "diverged", "oom", "timeout", "pruned", "failed"]
"""The ways a run ends."""

State = Literal[
    "running", "finished", "interrupted", "diverged", "oom", "timeout", "pruned", "failed", "unreadable"
]
"""What a run directory can be found to be."""


class Measurement(Part):
    """A metric with the interval it lies in; null where it is undefined or has no interval.

    `value` is undefined, for example, for the precision of a class that was never predicted.
    """

    value: float | None
    low: float | None = None
    high: float | None = None


class Failure(Part):
    """Why a run did not finish.

    Attributes:
        kind: the name of the error, for example `DataError`.
        message: what went wrong, one line a problem.
        hint: the next action; empty where the message says it.
        traceback_file: relative to the run directory; null where no traceback was kept.
    """

    kind: str
    message: Text
    hint: Text = ""
    traceback_file: str | None = None


class Deviation(Part):
    """Where a run departed from its configuration, because it could not go on as configured.

    Attributes:
        what: the quantity, for example `PARTS_A_STEP`.
        before: what it was.
        after: what it became.
        step: optimizer steps that were done the old way and kept.
        reason: why, one line.
    """

    what: str
    before: int
    after: int
    step: int = Field(ge=0)
    reason: Text


PARTS_A_STEP: Final = "parts a step"
"""In how many parts an optimizer step computes its images: with twice as many it takes half the memory."""


DEVICES: Final = "devices"
"""On how many devices a step is computed; it learns from the same images on any number."""


class Result(Document):
    """The end of a run, `result.json`.

    Attributes:
        failure: what kind of `failed` it is: the error's name; null in every other state.
        attempt: which start of this run it is the end of.
        started: when that attempt began.
        duration_seconds: of that attempt, by a clock that nobody sets.
        epochs: whole epochs trained, those of earlier attempts included.
        metrics: the headline metrics, `<split>/<name>`.
        artifacts: files of the run directory worth knowing, relative to it.
        warnings: what the reader of these numbers should know.
        deviations: from the configuration, those of earlier attempts included.
        predictions: SHA-256 of the table of predictions, by split; none where nothing was measured, and in
            records from before it was kept.
    """

    run_id: str
    state: Ended
    failure: str | None = None
    exit_code: int = Field(ge=0, le=255)
    attempt: int = Field(ge=1)
    started: UtcTime
    ended: UtcTime
    duration_seconds: float = Field(ge=0)
    epochs: int = Field(ge=0)
    metrics: dict[str, Measurement] = Field(default_factory=dict)
    error: Failure | None = None
    artifacts: tuple[Text, ...] = ()
    warnings: tuple[Text, ...] = ()
    deviations: tuple[Deviation, ...] = ()
    predictions: dict[str, Sha256] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "Result":
        if (self.state == "finished") != (self.exit_code == 0):
            raise ValueError(f"state {self.state} and exit code {self.exit_code} contradict each other")
        if (self.state == "failed") != (self.failure is not None):
            raise ValueError("a failed run, and only that, names its kind of failure")
        return self


class End(NamedTuple):
    """The state, kind of failure and exit code that an outcome of a run amounts to."""

    state: Ended
    failure: str | None
    exit_code: int


def end_of(error: BaseException | None) -> End:
    """Tell what the end of a run is called.

    Args:
        error: what ended it; None where it came to its own end.
    """
    match error:
        case None:
            return End("finished", None, 0)
        case Stopped():
            return End("interrupted", None, error.exit_code)
        case KeyboardInterrupt():
            return End("interrupted", None, 130)
        case Diverged():
            return End("diverged", None, error.exit_code)
        case MemoryExhausted() | MemoryError():
            return End("oom", None, MemoryExhausted.exit_code)
        case TimeBudgetUsed():
            return End("timeout", None, error.exit_code)
        case Pruned():
            return End("pruned", None, error.exit_code)
        case CtexpError():
            return End("failed", error.kind, error.exit_code)
        case _:
            return End("failed", type(error).__name__, 1)
