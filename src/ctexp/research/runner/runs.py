"""The runs that a handler looks at: those it has trained, and those that were there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from ctexp.core.errors import DataError, UsageError
from ctexp.record.manifest import Manifest
from ctexp.record.run_dir import RunDir
from ctexp.record.subjects import Subject, subject
from ctexp.research.basis import rests_on


@dataclass(frozen=True)
class Trained(Sequence[RunDir]):
    """Trainings of one experiment that differ by their seed alone; a sequence of their runs.

    Attributes:
        name: that they share.
        runs: at least one, in the order of the seeds that were asked for.
    """

    name: str
    runs: tuple[RunDir, ...]

    @overload
    def __getitem__(self, place: int) -> RunDir: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[RunDir]: ...

    def __getitem__(self, place: int | slice) -> RunDir | Sequence[RunDir]:
        return self.runs[place]

    def __len__(self) -> int:
        return len(self.runs)

    def __iter__(self) -> Iterator[RunDir]:
        return iter(self.runs)


Side = Trained | RunDir | str | Sequence[RunDir]
"""One side of a comparison: trainings, a run, what `runner.runs` finds, or runs that were put together."""


class Runs:
    """The project's runs. Whatever is found is noted: the handler's answer rests on it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._used: dict[str, RunDir] = {}
        self._data: dict[str, str] = {}

    @property
    def used(self) -> tuple[str, ...]:
        """The ids of those the handler has had, in this order."""
        return tuple(self._used)

    def data(self) -> dict[str, str]:
        """SHA-256 of the catalogs and splits they were made on, by name."""
        return dict(self._data)

    def find(self, selector: str) -> RunDir:
        """The run that is meant: its id, the beginning of it, a path, `best`, `latest`.

        Raises:
            UsageError: several are meant.
            DataError: none is, or it has not finished.
        """
        found = subject(self._folder, selector)
        if len(found.runs) != 1:
            raise DataError(
                f"{selector!r} means {len(found.runs)} runs", f"take them all: runs.of({selector!r})"
            )
        return self.note(found.runs)[0]

    def of(self, name: str) -> Trained:
        """All finished runs of a `run.name`, the newest of each seed.

        Raises:
            UsageError: they differ by more than their seed.
            DataError: there is none.
        """
        return Trained(name, self.note(subject(self._folder, name).runs))

    def side(self, one: Side) -> Subject:
        """One side of a comparison.

        Raises:
            UsageError: several things are meant.
            DataError: nothing is meant, or what is meant has not finished.
        """
        if isinstance(one, str):
            found = subject(self._folder, one)
        elif isinstance(one, RunDir):
            found = Subject(one.id, one.id, "run", (one,))
        else:
            runs = tuple(one)
            name = one.name if isinstance(one, Trained) else ", ".join(run.id for run in runs)
            if not runs:
                raise DataError("nothing is to be compared: no runs were given")
            found = Subject(name, name, "name" if len(runs) > 1 else "run", runs)
        if found.place is not None:
            raise UsageError(
                f"{found.title}: a cross-validation, and runs with a validation split in common are expected",
                "compare-baselines compares cross-validations",
            )
        self.note(found.runs)
        return found

    def note(self, runs: Sequence[RunDir]) -> tuple[RunDir, ...]:
        """Note that the handler has had these.

        Raises:
            DataError: one was made on another version of a data set than those before it.
        """
        for run in runs:
            for name, sha256 in rests_on(Manifest.read(run.manifest).dataset).items():
                if self._data.setdefault(name, sha256) != sha256:
                    raise DataError(
                        f"{run.id}: made on another version of {name} than earlier runs of this handler",
                        "an answer rests on one version of its images: train anew what is older",
                    )
            self._used.setdefault(run.id, run)
        return tuple(runs)
