"""A run directory: its name, where everything in it lies, and what state it is found in."""

import errno
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Self, TypeVar

from ctexp.core import clock, files, names
from ctexp.core.errors import DataError, noting
from ctexp.core.locks import FileLock
from ctexp.record.documents import Document, is_newer
from ctexp.record.manifest import Manifest, patch_name
from ctexp.record.result import Result, State

RUN_ID = re.compile(rf"(?P<name>{names.ID_PATTERN.pattern})_(?P<stamp>\d{{8}}-\d{{6}})_[a-z0-9]{{6}}")
"""`<name>_<YYYYmmdd-HHMMSS>_<6 characters>`, the time in UTC."""

LOCK = "lock"
"""The file in a run directory that each attempt locks."""

_D = TypeVar("_D", bound=Document)
_TRIES = 100
_FOLDERS = ("attempts", "checkpoints", "figures")


class Reading(NamedTuple):
    """What a run directory says about itself.

    Attributes:
        manifest: None where it is missing or cannot be read.
        result: None while the run runs, where nobody saw its end, and where it cannot be read.
        problems: one line for each document that is damaged, or missing where it should be.
    """

    state: State
    manifest: Manifest | None
    result: Result | None
    problems: tuple[str, ...]


@dataclass(frozen=True)
class RunDir:
    """The directory of one run; its name is the run's id.

    Args:
        path: the directory, which `create` makes and `open` checks.
    """

    path: Path

    @classmethod
    def create(cls, runs: Path, name: str, moment: datetime | None = None) -> Self:
        """Make the directory of a new run, with its empty folders.

        Args:
            runs: the folder of all runs, made when missing.
            name: `run.name`.
            moment: when the run was started; now by default.

        Raises:
            UsageError: `name` is no identifier.
            StorageError: the disk is full, or `runs` is no folder or cannot be written.
        """
        names.check_id(name, "run.name")
        stamp = clock.stamp(moment or clock.now())
        files.make_folder(runs)
        for _ in range(_TRIES):
            path = runs / f"{name}_{stamp}_{names.short_id()}"
            with files.storage_errors(path):
                try:
                    path.mkdir(exist_ok=False)
                except FileExistsError:
                    continue
                for folder in _FOLDERS:
                    (path / folder).mkdir()
            files.fsync_directory(path)
            files.fsync_directory(runs)
            return cls(path)
        raise FileExistsError(errno.EEXIST, f"{_TRIES} ids of one second were all taken", str(runs))

    @classmethod
    def open(cls, path: Path) -> Self:
        """Name an existing run directory.

        Raises:
            DataError: there is no directory, or it is not one of a run.
        """
        try:
            there = path.is_dir()
        except OSError as error:
            raise DataError(f"{path}: cannot be looked at ({error.strerror})") from error
        if not there:
            raise DataError(f"{path}: no such run directory")
        if (path / "cross_validation.json").is_file():
            raise DataError(f"{path}: a cross-validation, not a run", "its summary.txt names its runs")
        if not is_run(path):
            raise DataError(f"{path}: not a run directory (no manifest.json, and no run's id for a name)")
        return cls(path.resolve())

    @property
    def id(self) -> str:
        """The run's id."""
        return self.path.name

    @property
    def manifest(self) -> Path:
        """What the run is; see `Manifest`."""
        return self.path / "manifest.json"

    @property
    def config(self) -> Path:
        """The whole configuration, defaults included."""
        return self.path / "config.yaml"

    @property
    def overrides(self) -> Path:
        """What the user typed."""
        return self.path / "overrides.yaml"

    @property
    def git_diff(self) -> Path:
        """The uncommitted change; missing where there was none."""
        return self.attempt_patch(1)

    @property
    def environment(self) -> Path:
        """The exact packages."""
        return self.path / "environment.txt"

    @property
    def events(self) -> Path:
        """Structured events; see `EventLog`."""
        return self.path / "events.jsonl"

    @property
    def train_log(self) -> Path:
        """All output; see `RunLog`."""
        return self.path / "train.log"

    @property
    def history(self) -> Path:
        """A row an epoch; see `History`."""
        return self.path / "history.csv"

    @property
    def attempts(self) -> Path:
        """The folder of what each start left."""
        return self.path / "attempts"

    @property
    def checkpoints(self) -> Path:
        """The folder of weights."""
        return self.path / "checkpoints"

    @property
    def figures(self) -> Path:
        """The folder of pictures."""
        return self.path / "figures"

    @property
    def summary(self) -> Path:
        """The blocks as printed."""
        return self.path / "summary.txt"

    @property
    def metrics(self) -> Path:
        """Final metrics, with intervals."""
        return self.path / "metrics.json"

    @property
    def calibration(self) -> Path:
        """The temperature of the best weights; see `Calibration`."""
        return self.path / "calibration.json"

    @property
    def result(self) -> Path:
        """How the run ended; see `Result`."""
        return self.path / "result.json"

    def predictions(self, split: str) -> Path:
        """The logits of every image of a split."""
        return self.path / f"predictions_{split}.parquet"

    def attempt(self, number: int) -> Path:
        """The page of one start; see `Attempt`."""
        return self.attempts / f"{number}.json"

    def attempt_patch(self, number: int) -> Path:
        """The uncommitted change of one start; that of the first is `git_diff`."""
        return self.path / patch_name(number)

    def attempt_result(self, number: int) -> Path:
        """Where the result of a start goes when a later one begins."""
        return self.attempts / f"{number}.result.json"

    def attempt_traceback(self, number: int) -> Path:
        """The traceback of the error that ended a start."""
        return self.attempts / f"{number}.traceback.txt"

    def attempt_numbers(self) -> list[int]:
        """The starts there have been, in order."""
        return sorted(int(path.stem) for path in self.attempts.glob("*.json") if path.stem.isdecimal())

    def lock(self) -> FileLock:
        """The lock that each attempt holds from before its first write until after its last."""
        return FileLock(self.path / LOCK, f"run {self.id}")

    def state(self) -> State:
        """The run's state; see `read`."""
        return self.read().state

    def read(self) -> Reading:
        """Read manifest and result, and tell the state; damage is told, never raised.

        A valid result decides. Without one the run is `running` while its lock is held, and `interrupted`
        afterwards. Where the manifest is damaged, or either document is of a newer ctexp, it is `unreadable`.
        """
        # Asked first: a run that ends while we look has left its result by the time we look for that.
        running = self.lock().is_held()
        result, result_problems = _read(Result, self.result)
        manifest, problems = _read(Manifest, self.manifest)
        if problems or is_newer(self.result):
            return Reading("unreadable", manifest, result, problems + result_problems)
        if manifest is None and not running:
            problems = (f"{self.manifest}: missing, the run ended before it was described",)
        state: State = result.state if result else "running" if running else "interrupted"
        return Reading(state, manifest, result, problems + result_problems)


def _read(kind: type[_D], path: Path) -> tuple[_D | None, tuple[str, ...]]:
    """A document and what is wrong with it; a missing one is neither."""
    problems: list[str] = []
    document = noting(problems, kind.read, path) if path.exists() else None
    return document, tuple(problems)


def is_run(path: Path) -> bool:
    """Whether a directory is one of a run: by its name, or by its manifest where it was renamed."""
    return RUN_ID.fullmatch(path.name) is not None or (path / "manifest.json").is_file()
