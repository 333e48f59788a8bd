"""The other runs, as far as a run can be held against them; each is read when it is first asked for."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from ctexp.monitor.seen import Seen, look
from ctexp.planning.study.configurations import Configurations
from ctexp.record import index
from ctexp.record.index import RunSummary
from ctexp.record.run_dir import RunDir
from ctexp.record.subjects import JUDGED

_NEWEST = 300
"""Runs that one is compared with: more than a person would look back at."""


class Neighbours:
    """Every run of a folder, newest first.

    Args:
        runs: the folder of all runs.

    Attributes:
        every: what the index says of each.

    Raises:
        DataError: the folder cannot be read.
    """

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        self.every: Sequence[RunSummary] = index.list_runs(runs)
        self._configurations = Configurations()
        self._by_id = {run.id: run for run in self.every}
        self._seen = cache(lambda run_id: look(RunDir(self._by_id[run_id].path)))
        self._recipe = cache(self._recipe_of)

    def seen(self, run_id: str) -> Seen:
        """A run, read once."""
        return self._seen(run_id)

    def summary(self, run_id: str) -> RunSummary | None:
        """What the index says of a run; None where there is none of that id."""
        return self._by_id.get(run_id)

    def before(self, seen: Seen) -> list[RunSummary]:
        """The judged runs that were begun before it on splits and folds of that name, newest first."""
        own = self._by_id.get(seen.id)
        if own is None or own.created is None:
            return []
        alike = (own.dataset, own.split, own.fold, own.sample)
        return [
            one
            for one in self.every
            if one.state in JUDGED
            and (one.created or "") < own.created
            and (one.dataset, one.split, one.fold, one.sample) == alike
        ][:_NEWEST]

    def of_recipe(self, seen: Seen) -> list[RunSummary]:
        """Those of them with the same settings but for the seed."""
        recipe = self._recipe(seen.id)
        return [one for one in self.before(seen) if recipe and self._recipe(one.id) == recipe]

    def _recipe_of(self, run_id: str) -> str:
        settings = self._configurations.of(self._by_id[run_id])
        return json.dumps(settings, sort_keys=True, default=str) if settings else ""
