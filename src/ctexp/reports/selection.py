"""Which runs a page is about, put together to experiments: seeds of a name, folds of a cross-validation."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ctexp.core import clock
from ctexp.core.errors import CtexpError, DataError, UsageError
from ctexp.record import index
from ctexp.record.baselines import Baseline
from ctexp.record.cross_validation import FOLDER
from ctexp.record.find import no_runs
from ctexp.record.index import Query, RunSummary
from ctexp.record.run_dir import RunDir
from ctexp.record.subjects import (
    JUDGED,
    TIME_LIMIT,
    Subject,
    Unfinished,
    configuration,
    differing_keys,
    shortened,
    subject,
)
from ctexp.reports import moments


@dataclass(frozen=True)
class Selection:
    """What a page is about.

    Attributes:
        subjects: the experiments, oldest first, or as they were named; at least one.
        asked: how they were chosen, in words.
        notes: what was left out and why, one line each.
        unfinished: what was named and left out, since no run of it has finished, and what would finish it.
    """

    subjects: tuple[Subject, ...]
    asked: str
    notes: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()


def select(
    runs: Path,
    named: Sequence[str],
    queue: str | None,
    since: str | None,
    *,
    now: datetime,
    best_by: str = "val/macro_f1",
    baseline: Baseline | None = None,
) -> Selection:
    """The experiments that are meant; without a word those since yesterday, else the latest run.

    Args:
        runs: the folder of all runs.
        named: what `record.subjects.subject` understands.
        queue: the name of a queue.
        since: as `moments.since`.
        now: aware, in the user's time zone.
        best_by: the metric that makes a run the best.
        baseline: what `baseline` stands for.

    Raises:
        UsageError: a word means nothing, or several things.
        DataError: there is no such run, or none of all that was judged; the message says what there is.
    """
    if named:
        if queue is not None or since is not None:
            raise UsageError("--runs beside --queue or --since", "choose runs one way")
        return _named(runs, dict.fromkeys(named), best_by, baseline)
    if not index.count(runs):
        raise no_runs(runs)
    asked = _asked(queue, since or ("" if queue else "yesterday"))
    whole = queue is not None and since is None
    begin = None if whole else clock.iso(moments.since(since or "yesterday", now))
    chosen = index.select(runs, Query(where={} if queue is None else {"queue": queue}, since=begin))
    if not chosen and queue is None and since is None:
        chosen = index.select(runs, Query(states=JUDGED, limit=1))
        asked = "the latest run; there is none since yesterday"
    subjects, notes = _experiments(runs, list(reversed(chosen)))
    if not subjects:
        raise DataError([f"{asked}: no run that was judged", *notes, _there_is(runs)], _HINT)
    return Selection(_distinct(subjects), asked, tuple(notes))


def _named(runs: Path, named: Iterable[str], best_by: str, baseline: Baseline | None) -> Selection:
    """What was named and has finished; the rest is no reason to refuse the page.

    Raises:
        UsageError: a word means several things.
        DataError: one means nothing, or nothing of it all has finished.
    """
    found: list[Subject] = []
    refused: list[Unfinished] = []
    for one in named:
        try:
            found.append(subject(runs, one, best_by=best_by, baseline=baseline))
        except Unfinished as error:
            refused.append(error)
    if not found:
        problems = [problem for error in refused for problem in error.problems]
        raise DataError(problems, next((error.hint for error in refused if error.hint), _HINT))
    unfinished = [f"left out: {'; '.join(filter(None, (*error.problems, error.hint)))}" for error in refused]
    notes = [f"{one.title}: {note}" for one in found for note in one.notes]
    return Selection(_distinct(found), "", tuple(notes), tuple(unfinished))


_HINT = "scripts/inv runs lists all; name one with --runs"

_NEWEST = 1000
"""Runs whose queues are named."""


def _asked(queue: str | None, since: str) -> str:
    of = f"the runs of queue {queue}" if queue else "the runs"
    return f"{of} since {since}" if since else of


def _there_is(runs: Path) -> str:
    newest = index.select(runs, Query(limit=_NEWEST))
    queues = sorted({run.queue for run in newest if run.queue})
    about = f"; queues: {', '.join(queues[:5])}" if queues else ""
    return f"there are {index.count(runs):,} runs, the newest {newest[0].id} ({newest[0].state}){about}"


def _experiments(runs: Path, chosen: Sequence[RunSummary]) -> tuple[list[Subject], list[str]]:
    """Seeds of one configuration under one name, or folds of one cross-validation, are one experiment."""
    notes = []
    together: dict[tuple[str, str], list[RunSummary]] = defaultdict(list)
    for run in chosen:
        if run.state in JUDGED:
            whole = run.parent is not None and (runs / FOLDER / run.parent).is_dir()
            key = ("cross-validation", run.parent or "") if whole else ("name", run.name)
            together[key].append(run)
        else:
            notes.append(f"{run.id}: {run.state}, left out" + (f" ({run.problem})" if run.problem else ""))
    found: list[Subject] = []
    for (kind, name), members in together.items():
        if kind == "name":
            found += _by_seed(name, members)
            continue
        try:
            found.append(subject(runs, name))
            notes += [f"{name}: {note}" for note in found[-1].notes]
        except CtexpError as error:
            notes += error.problems
    return found, notes


def _by_seed(name: str, members: Sequence[RunSummary]) -> Iterable[Subject]:
    """One experiment where runs differ by their seed alone, else each by itself."""
    runs = {run.id: RunDir(run.path) for run in sorted(members, key=lambda run: run.seed or 0)}
    alone = shortened(list(runs.values()))
    together = [run for run in members if run.id not in {one.id for one in alone}]
    if len(together) != len({run.seed for run in together}) or _differ([runs[run.id] for run in together]):
        return [Subject(run.id, run.id, "run", (RunDir(run.path),)) for run in members]
    whole = tuple(run for run in runs.values() if run not in alone)
    return [Subject(name, name, "name", whole), *(Subject(run.id, run.id, "run", (run,)) for run in alone)]


def _differ(runs: Sequence[RunDir]) -> bool:
    try:
        first, *others = [configuration(run) for run in runs]
    except CtexpError:
        return True
    return any(set(differing_keys(first, other)) - {TIME_LIMIT} for other in others)


def _distinct(subjects: Sequence[Subject]) -> tuple[Subject, ...]:
    """Each experiment once, however often and under what words it was named."""
    return tuple({tuple(run.path for run in one.runs): one for one in subjects}.values())
