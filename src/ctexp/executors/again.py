"""A training begun again because its node was lost: it goes on with the run it had begun, where it can."""

from collections.abc import Sequence
from pathlib import Path

from ctexp.core.errors import DataError, UsageError
from ctexp.executors.protocol import Work
from ctexp.record.find import run_paths
from ctexp.record.manifest import Origin
from ctexp.record.run_dir import RunDir

CANNOT_GO_ON = frozenset({UsageError.exit_code, DataError.exit_code})
"""Exit codes by which `inv train --resume` says that it cannot go on with what is there."""


class Again:
    """The words of a piece of work, for each time it is begun.

    Which run is its own, the run's manifest says: it names a queue and a job that the work has in its
    environment, and was not there before the work was submitted. Work that belongs to no job is begun anew.

    Args:
        work: about to be submitted.
        runs: the folder that its runs come to lie in.
    """

    def __init__(self, work: Work, runs: Path) -> None:
        self._work, self._runs = work, runs
        self._origin = Origin.of(work.environment)
        self._follows = work.trains and self._origin.job is not None and "--resume" not in work.words
        self._before = frozenset(path.name for path in run_paths(runs)) if self._follows else frozenset()
        self._went_on = False

    def run(self) -> RunDir | None:
        """What it trains, or has trained so far; None where that is not known."""
        if self._work.trains and "--resume" in self._work.words[:-1]:
            return RunDir(self._runs / self._work.words[list(self._work.words).index("--resume") + 1])
        if not self._follows:
            return None
        new = [RunDir(path) for path in run_paths(self._runs) if path.name not in self._before]
        mine = [run for run in new if (manifest := run.read().manifest) and manifest.origin == self._origin]
        return mine[-1] if mine else None

    def words(self) -> Sequence[str]:
        """What is to be run now that it is begun again."""
        run = self.run()
        self._went_on = self._follows and run is not None
        return [*self._work.words[:2], "--resume", run.id] if self._went_on and run else self._work.words

    def anew(self, code: int) -> bool:
        """Whether it has to be begun from its first step: what it was to go on with refused it."""
        refused, self._went_on = self._went_on and code in CANNOT_GO_ON, False
        return refused
