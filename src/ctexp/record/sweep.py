"""A sweep: a folder of its own below the runs, which says what is searched and how far it has come.

Its trials are ordinary runs in `runs/`, whose manifests name it as their parent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import Field

from ctexp.core.locks import FileLock
from ctexp.record import grouped
from ctexp.record.documents import Document, Part, Sha256, Text, UtcTime
from ctexp.record.grouped import name_of
from ctexp.record.manifest import Origin

FOLDER = "sweeps"
"""Where they lie, below the folder of all runs."""


class Sweep(Document):
    """`sweep.json`: what is asked for; written once. The file it came from lies beside it as `sweep.yaml`.

    Attributes:
        id: the name of its folder.
        name: trials' runs are called `<name>-t<number>`.
        command: to copy and paste in the project's folder.
        file: as the person named it.
        overrides: what every trial has in common beside what the file says, as typed.
        common: what the file says that every trial has in common, less what was typed.
        metric: the validation metric of the objective.
        storage: where the trials are kept: a database's URL without a password; null for the folder's own.
        config_sha256: of the resolved configuration that all trials begin with.
        budget_seconds: agents begin no trial beyond it; null for as long as it takes.
        origin: who asked for it; all null where a person did.
    """

    id: Text
    name: str
    created: UtcTime
    command: Text
    file: Text
    file_sha256: Sha256
    overrides: tuple[Text, ...]
    common: tuple[Text, ...] = ()
    method: Literal["grid", "random", "bayes"]
    metric: str
    goal: Literal["maximize", "minimize"]
    backend: Literal["optuna", "wandb", "ray"]
    storage: Text | None = None
    config_sha256: Sha256
    dataset: str
    catalog_sha256: Sha256
    split_sha256: Sha256 | None = None
    seed: int = Field(ge=0)
    budget_seconds: float | None = Field(default=None, gt=0)
    origin: Origin = Origin()


class BestTrial(Part):
    """The best trial so far.

    Attributes:
        overrides: what sets it apart, ready for the command line.
        value: of the objective.
        mean: of the metric over its members.
        error: its standard error over them; null for a single one.
        runs: its runs.
    """

    number: int = Field(ge=0)
    overrides: tuple[Text, ...]
    value: float
    mean: float | None = None
    error: float | None = Field(default=None, ge=0)
    runs: tuple[Text, ...]


class SweepProgress(Document):
    """`progress.json`: how far it has come; replaced by agents after each trial.

    Attributes:
        counts: trials by state.
        seconds: of all trials together.
        ended: when nothing was left; null before.
        why: what ended it; empty before.
    """

    id: Text
    counts: dict[str, int]
    seconds: float = Field(ge=0)
    best: BestTrial | None = None
    updated: UtcTime
    ended: UtcTime | None = None
    why: Text = ""


def sweeps(runs: Path) -> list[str]:
    """The ids of all sweeps, oldest first."""
    return grouped.ids(runs / FOLDER)


def meant(ids: Sequence[str], selector: str) -> list[str]:
    """Which sweeps a word means: more than one only where several ids begin with it.

    A name means its newest sweep, whatever longer names begin alike.

    Args:
        ids: of all sweeps, oldest first.
        selector: an id, a name, the beginning of an id, or `latest`.
    """
    named = [one for one in ids if name_of(one) == selector != "latest"]
    return named[-1:] or grouped.begun(ids, selector)


@dataclass(frozen=True)
class SweepDir:
    """The folder of one sweep; its name is the id."""

    path: Path

    @classmethod
    def create(cls, runs: Path, name: str) -> Self:
        """Make the folder of a new one.

        Raises:
            StorageError: the disk is full or cannot be written.
        """
        return cls(grouped.make(runs / FOLDER, name, "logs"))

    @classmethod
    def find(cls, runs: Path, selector: str) -> Self:
        """The one that a word means; see `meant`.

        Raises:
            UsageError: several are meant.
            DataError: none is.
        """
        return cls(grouped.find(runs / FOLDER, selector, "scripts/inv sweep --config lr_wd", meant))

    @property
    def id(self) -> str:
        """The sweep's id."""
        return self.path.name

    @property
    def record(self) -> Path:
        """What is asked for; see `Sweep`."""
        return self.path / "sweep.json"

    @property
    def file(self) -> Path:
        """The sweep's file as it was."""
        return self.path / "sweep.yaml"

    @property
    def progress(self) -> Path:
        """How far it has come; see `SweepProgress`."""
        return self.path / "progress.json"

    @property
    def trials(self) -> Path:
        """The embedded database."""
        return self.path / "trials.db"

    @property
    def logs(self) -> Path:
        """What the programs of trials printed: `t<number>.<attempt>-<member>.log`."""
        return self.path / "logs"

    def lock(self) -> FileLock:
        """Held for an instant while a trial is claimed, or the progress replaced."""
        return FileLock(self.path / "lock", f"sweep {self.id}")
