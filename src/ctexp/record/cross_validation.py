"""A cross-validation: a folder of its own below the runs, which says what its folds are and how they fared.

Its folds are ordinary runs in `runs/`, whose manifests name it as their parent. The folder lies in
`runs/cross-validations/`, where lists of runs do not look.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import Field

from ctexp.core.locks import FileLock
from ctexp.record import grouped
from ctexp.record.calibration import Temperature
from ctexp.record.documents import Document, Part, Sha256, Text, UtcTime
from ctexp.record.manifest import Origin
from ctexp.record.result import Measurement

FOLDER = "cross-validations"
"""Where they lie, below the folder of all runs."""


class Fold(Part):
    """One fold with one seed.

    Attributes:
        run_id: its run; null until there is one, and where it was refused before it made one.
        state: `pending`, a state of a run, or `failed` where it was refused.
        exit_code: of its last start; minus a signal's number where a signal ended it; null before.
        seconds: of all its starts together.
        metrics: the headline metrics of a finished one, on its own validation images.
        problem: what went wrong; empty where nothing did.
    """

    fold: int = Field(ge=0)
    seed: int = Field(ge=0)
    run_id: Text | None = None
    state: str = "pending"
    exit_code: int | None = None
    seconds: float | None = Field(default=None, ge=0)
    metrics: dict[str, Measurement] = Field(default_factory=dict)
    problem: Text = ""


class CrossValidation(Document):
    """`cross_validation.json`: what is asked for, and how far it has come; rewritten as it goes.

    Attributes:
        id: the name of its folder.
        name: `run.name`, which all its runs share.
        command: to copy and paste in the project's folder.
        overrides: what the user changed, as typed, without the seed and what is said of folds.
        config_sha256: of the resolved configuration without `seed` and `data.fold`.
        catalog_sha256: of the data set's catalog.
        split_sha256: of the text that says which image is in which fold.
        folds: how many.
        members: every fold with every seed, in the order they are trained.
        ended: when its last start came to an end by itself; null before.
        origin: who asked for it; all null where a person did, and in records from before there were nights.
    """

    id: Text
    name: str
    created: UtcTime
    command: Text
    overrides: tuple[Text, ...]
    config_sha256: Sha256
    dataset: str
    catalog_sha256: Sha256
    split_sha256: Sha256
    folds: int = Field(ge=2)
    seeds: tuple[int, ...]
    members: tuple[Fold, ...]
    ended: UtcTime | None = None
    origin: Origin = Origin()

    def with_member(self, member: Fold) -> "CrossValidation":
        """The same with one member's news."""
        key = (member.fold, member.seed)
        members = tuple(member if (old.fold, old.seed) == key else old for old in self.members)
        return self.model_copy(update={"members": members})

    @property
    def unfinished(self) -> tuple[Fold, ...]:
        """The members that have no result yet."""
        return tuple(member for member in self.members if member.state != "finished")


class EnsembleMember(Part):
    """One network of an ensemble.

    Attributes:
        checkpoint: relative to the folder of all runs.
        sha256: of the checkpoint.
        temperature: what its logits are divided by.
    """

    fold: int = Field(ge=0)
    seed: int = Field(ge=0)
    run_id: Text
    checkpoint: Text
    sha256: Sha256
    temperature: Temperature


class EnsembleList(Document):
    """`ensemble.json`: networks whose calibrated probabilities are averaged."""

    id: Text
    members: tuple[EnsembleMember, ...]


@dataclass(frozen=True)
class CrossValidationDir:
    """The folder of one cross-validation; its name is the id."""

    path: Path

    @classmethod
    def create(cls, runs: Path, name: str) -> Self:
        """Make the folder of a new one.

        Raises:
            StorageError: the disk is full or cannot be written.
        """
        return cls(grouped.make(runs / FOLDER, name, "figures"))

    @classmethod
    def find(cls, runs: Path, selector: str) -> Self:
        """The one that an id, the beginning of an id, or `latest` means.

        Raises:
            UsageError: several are meant.
            DataError: none is.
        """
        return cls(grouped.find(runs / FOLDER, selector, "scripts/inv cross-validate"))

    @property
    def id(self) -> str:
        """The cross-validation's id."""
        return self.path.name

    @property
    def record(self) -> Path:
        """What it is and how far it has come; see `CrossValidation`."""
        return self.path / "cross_validation.json"

    @property
    def predictions(self) -> Path:
        """Every image, judged out of fold."""
        return self.path / "predictions_oof.parquet"

    @property
    def metrics(self) -> Path:
        """Metrics over all images, and the spread over folds and seeds."""
        return self.path / "metrics.json"

    @property
    def calibration(self) -> Path:
        """The temperature of its members; see `Calibration`."""
        return self.path / "calibration.json"

    @property
    def ensemble(self) -> Path:
        """Its members as one predictor; see `EnsembleList`."""
        return self.path / "ensemble.json"

    @property
    def figures(self) -> Path:
        """The folder of pictures."""
        return self.path / "figures"

    @property
    def summary(self) -> Path:
        """What was printed."""
        return self.path / "summary.txt"

    def lock(self) -> FileLock:
        """Held while its folds are trained, by whoever is at it and by the training that runs."""
        return FileLock(self.path / "lock", f"cross-validation {self.id}")
