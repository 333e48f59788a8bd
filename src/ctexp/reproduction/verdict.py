"""What came of making a run again: `verdict.json`, and the rule by which it is decided."""

from typing import Literal

from pydantic import Field

from ctexp.record.documents import Document, Part, Sha256, Text, UtcTime

Outcome = Literal["equal", "within_tolerance", "different", "not_made"]
"""Byte for byte; as close as was asked for; otherwise; and where it could not be made from what is left."""

Area = Literal[
    "record",
    "source",
    "configuration",
    "data",
    "outcome",
    "predictions",
    "metrics",
    "history",
    "checkpoint",
    "environment",
    "hardware",
]
"""What a difference is of."""


class Difference(Part):
    """One difference between a run and what its record gives a second time.

    Attributes:
        what: the thing that differs.
        recorded: what the record says; null where it says nothing.
        found: what there is now; null where there is nothing.
        counts: whether it makes the two different. What a machine does differently is only listed.
    """

    area: Area
    what: Text
    recorded: Text | None = None
    found: Text | None = None
    counts: bool = True


class Compared(Part):
    """One thing of the two runs that was held side by side.

    Attributes:
        what: `predictions of val`, `metrics of val`, `history`, `best.ckpt`.
        number: how many of `unit` were compared.
        unit: `images`, `metrics`, `epochs`, `tensors`.
        identical: whether every bit was the same.
        largest: the largest absolute difference; null where there is none to speak of.
        changed: how many differ; of predictions, whose answer is another class.
    """

    area: Area
    what: Text
    number: int
    unit: str
    identical: bool
    largest: float | None = None
    changed: int = 0


class Source(Part):
    """The source that was trained again.

    Attributes:
        left_out: files that the patch lacks: the source is not quite the recorded one.
    """

    commit: str
    patch_sha256: Sha256 | None = None
    left_out: tuple[Text, ...] = ()


class Packages(Part):
    """The environment it was trained in.

    Attributes:
        made_by: `uv`, from the lock file of that commit; `here`: that of this project.
        lock: the file's name.
    """

    made_by: Literal["uv", "here"]
    python: Text
    lock: Text | None = None
    lock_sha256: Sha256 | None = None


class Images(Part):
    """The data it was trained on.

    Attributes:
        origin: `here`: they are the recorded ones, each was hashed; `dvc`: the recorded version, fetched.
    """

    origin: Literal["here", "dvc"]
    name: str
    catalog_sha256: Sha256


class Verdict(Document):
    """A run, made again and compared.

    Attributes:
        run_id: the run.
        reproduction: the second run's directory, relative to this file; null where none was made.
        strict: whether every bit had to be the same.
        lenient_because: why not; empty where it had.
        tolerance: how far metrics might be apart otherwise; see `Tolerance` in docs/reproducing.md.
        notes: what a reader should know besides, one line each.
    """

    run_id: str
    outcome: Outcome
    said: Text
    began: UtcTime
    ended: UtcTime
    command: Text
    reproduction: Text | None = None
    strict: bool
    lenient_because: tuple[Text, ...] = ()
    tolerance: float = Field(ge=0)
    source: Source | None = None
    packages: Packages | None = None
    images: Images | None = None
    compared: tuple[Compared, ...] = ()
    differences: tuple[Difference, ...] = ()
    notes: tuple[Text, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether the run was reproduced."""
        return self.outcome in ("equal", "within_tolerance")
