"""What an index has to answer: the directories, read one by one and asked in plain Python."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ctexp.record.find import run_paths
from ctexp.record.index import Query, RunSummary, summarise
from ctexp.record.run_dir import RunDir


def runs_of(folder: Path) -> list[RunSummary]:
    """Every run, newest first."""
    return [summarise(RunDir(path)) for path in reversed(run_paths(folder))]


def answer(every: list[RunSummary], query: Query) -> list[RunSummary]:
    """Those that are asked for, in the order asked for."""
    found = [
        run
        for run in every
        if all(getattr(run, column) == value for column, value in query.where.items())
        and (query.name_part or "") in run.name
        and set(query.tags) <= set(run.tags)
        and (not query.states or run.state in query.states)
        and (query.metric is None or run.metrics.get(query.metric) is not None)
        and (query.since is None or (run.started or "") >= query.since)
        and (query.until is None or (run.started or "~") < query.until)
    ]
    if query.sort != "newest":
        value = _value(query.sort)
        known = [run for run in found if value(run) is not None]
        unknown = [run for run in found if value(run) is None]
        found = sorted(known, key=value, reverse=query.descending) + unknown
    return found[: query.limit]


def _value(column: str) -> Callable[[RunSummary], Any]:
    if "/" in column:
        return lambda run: run.metrics.get(column)
    return lambda run: getattr(run, column)
