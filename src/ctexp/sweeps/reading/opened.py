"""A sweep as its readers see it: what was asked for, and every trial so far."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ctexp.record.run_dir import RunDir
from ctexp.record.sweep import Sweep, SweepDir, SweepProgress
from ctexp.sweeps.file.spec import Spec
from ctexp.sweeps.file.words import common, words_of
from ctexp.sweeps.space import Value, Values
from ctexp.sweeps.trials import Row


@dataclass(frozen=True)
class Opened:
    """A sweep and its trials at one moment.

    Attributes:
        runs: the folder of all runs.
        rows: every trial, by number.
        progress: what agents noted after the last one; None before any.
    """

    place: SweepDir
    runs: Path
    sweep: Sweep
    spec: Spec
    rows: tuple[Row, ...]
    progress: SweepProgress | None = None

    @cached_property
    def ranked(self) -> tuple[Row, ...]:
        """The finished trials, best first; of equal ones the earlier, and each configuration once."""
        return tuple(self.spec.ranked(self.rows))

    @property
    def base(self) -> tuple[str, ...]:
        """Overrides that all trials have in common: those that were typed, then the file's."""
        return (*common(self.sweep.overrides), *self.spec.overrides)

    @cached_property
    def chosen(self) -> tuple[str, ...]:
        """The keys that more than one value was tried of, in the order of the file."""
        return tuple(one.key for one in self.spec.space.parameters if len(self.tried(one.key)) > 1)

    def tried(self, key: str) -> list[Value]:
        """The values that trials had of a parameter, each once; it need not apply to all of them."""
        found: list[Value] = []
        for row in self.rows:
            if key in row.values and row.values[key] not in found:
                found.append(row.values[key])
        return found

    def words(self, row: Row) -> tuple[str, ...]:
        """What sets a trial apart, as overrides."""
        return words_of(row.values)

    def members(self, row: Row) -> Mapping[str, RunDir]:
        """A trial's runs by the label of the member; those that are no longer there are left out."""
        found = {label: RunDir(self.runs / run) for label, run in row.runs.items()}
        return {label: run for label, run in found.items() if run.path.is_dir()}


def number(value: Value) -> float:
    """A value of a range, or of a finished trial's objective.

    Raises:
        TypeError: it is no number.
    """
    if not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number")
    return float(value)


def read(runs: Path, selector: str) -> Opened:
    """Open a sweep to look at it; its trials may go on meanwhile.

    Args:
        runs: the folder of all runs.
        selector: its id, its name, the beginning of an id, or `latest`.

    Raises:
        UsageError: several sweeps are meant.
        DataError: none is, or its record is damaged.
        PreflightError: its database cannot be reached.
    """
    from ctexp.sweeps.board.opening import open_board
    from ctexp.sweeps.file.load import load

    place = SweepDir.find(runs, selector)
    sweep = Sweep.read(place.record)
    spec = load(place.file, sweep.file, sweep.overrides)
    progress = SweepProgress.read(place.progress) if place.progress.is_file() else None
    with closing(open_board(place, spec, sweep, _unasked)) as board:
        return Opened(place, runs, sweep, spec, tuple(board.rows()), progress)


def _unasked(values: Values) -> str:
    """Which configuration values lead to is asked by those who take trials."""
    raise AssertionError(f"a reader has taken {values}")
