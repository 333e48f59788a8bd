"""`runs` and `show`: what has been run, read from the run directories alone."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import get_args

from rich.table import Table
from rich.text import Text

from ctexp.cli.meant import the_one
from ctexp.config.compose import resolve_paths
from ctexp.core import clock, screen
from ctexp.core.errors import UsageError
from ctexp.core.metric_names import canonical, higher_is_better
from ctexp.core.names import did_you_mean
from ctexp.core.paths import project_root, shown
from ctexp.core.wording import many
from ctexp.record import blocks
from ctexp.record.cross_validation import CrossValidationDir
from ctexp.record.index import Index, Query, RunSummary
from ctexp.record.result import State
from ctexp.record.run_dir import RunDir
from ctexp.record.show import describe, describe_cross_validation

_STATES = get_args(State)
_WIDE = 150
_GIVE_WAY = ("state", "model", "data")
_SHOWN = ("val/macro_f1", "val/accuracy", "val/miss_rate")


def runs(name: str | None, tag: Sequence[str], state: str | None, sort: str, limit: int, json: bool) -> None:
    """List runs, newest or best first."""
    if state is not None and state not in _STATES:
        raise UsageError(f"--state: {state!r} is no state of a run", did_you_mean(state, _STATES))
    if limit < 0:
        raise UsageError(f"--limit: {limit} is negative", "0 lists all")
    column, metric = _column(sort)
    query = Query(
        name_part=name,
        tags=tag,
        states=[state] if state else [],
        sort=column,
        descending=not metric or higher_is_better(column),
        limit=limit or None,
    )
    with Index(resolve_paths(project_root())[1]) as index:
        listed, matching = index.select(query), index.count(query)
        in_all = matching or index.count(Query())
    if json:
        screen.emit_json({"runs": [_document(run) for run in listed], "matching": matching})
        return
    _print(listed, column if metric else None)
    if metric and column.replace("/", "_") != sort.replace("/", "_"):
        screen.note(f"{sort} is {column}")
    if len(listed) < matching:
        screen.note(f"{len(listed)} of {matching} runs; --limit 0 lists all")
    if not in_all:
        screen.note("no runs yet: scripts/inv quickstart makes the first")
    elif not matching:
        asked = {"--name": [name], "--tag": tag, "--state": [state]}
        filters = [f"{flag} {value}" for flag, values in asked.items() for value in values if value]
        screen.note(f"no run matches {' '.join(filters)} ({many(in_all, 'run')} in all)")


def show(run: str, json: bool) -> None:
    """Show one run or cross-validation, or with `json` everything its directory says."""
    found = the_one(project_root(), run)
    if isinstance(found, CrossValidationDir):
        _show_cross_validation(found, json)
    else:
        _show_run(found, json)


def _show_run(run: RunDir, json: bool) -> None:
    document = describe(run)
    if json:
        screen.emit_json(document.document())
        return
    for problem in document.problems:
        screen.warn(problem)
    for line in document.pruned:
        screen.note(line)
    print(f"{run.id}  {document.state}")
    if document.manifest is not None:
        print(blocks.manifest_block(document.manifest, shown(run.path)), end="")
    if document.result is not None:
        estimate = document.manifest.estimate if document.manifest else None
        block = blocks.results_block(document.result, shown(run.path), shown(run.train_log), estimate)
        print(block, end="")
        for line in blocks.evaluated_since(document.metrics):
            print(f"evaluated since, {line}")
    elif document.state == "interrupted":
        screen.note(f"no end was recorded -> scripts/inv train --resume {run.id}")


def _show_cross_validation(place: CrossValidationDir, json: bool) -> None:
    document = describe_cross_validation(place)
    if json:
        screen.emit_json(document.document())
        return
    for problem in document.problems:
        screen.warn(problem)
    print(f"{place.id}  {document.state}")
    if document.summary is not None:
        print(document.summary, end="")
    elif document.record is not None:
        for one in document.record.members:
            print(f"fold {one.fold}, seed {one.seed}: {one.state}  {one.run_id or ''}".rstrip())
    if document.state == "interrupted":
        screen.note(f"it is not complete -> scripts/inv cross-validate --resume {place.id}")


def _column(sort: str) -> tuple[str, bool]:
    """What `--sort` means, and whether it is a metric; unknown names are left for the index to refuse."""
    if sort == "duration":
        return "duration_seconds", False
    try:
        return canonical(sort), True
    except UsageError:
        return sort, False


def _document(run: RunSummary) -> dict[str, object]:
    return asdict(run) | {
        "path": str(run.path),
        "metrics": dict(run.metrics),
        "intervals": {name: list(limits) for name, limits in run.intervals.items()},
    }


def _print(listed: Sequence[RunSummary], sorted_by: str | None) -> None:
    metrics = list(_SHOWN)
    if sorted_by is not None and sorted_by not in metrics:
        metrics.insert(0, sorted_by)
    console = screen.results()
    narrow = console.is_terminal and console.width < _WIDE
    if narrow:
        metrics = metrics[:1]  # one number with its interval says more than three without
    table = Table(box=None, pad_edge=False)
    facts: dict[str, Callable[[RunSummary], str | None]] = {
        "state": lambda run: run.state,
        "model": lambda run: run.model,
        "features": lambda run: run.features or "image alone",
        "data": lambda run: run.dataset,
        "seed": lambda run: None if run.seed is None else str(run.seed),
        "fold": lambda run: None if run.fold is None else str(run.fold),
        "part of": lambda run: run.parent,
    }
    absent = {
        "features": not any(run.features for run in listed),
        "fold": all(run.fold is None for run in listed),
        "part of": narrow or all(run.parent is None for run in listed),
    }
    facts = {heading: fact for heading, fact in facts.items() if not absent.get(heading)}
    # A run's id is there to be copied: on a narrow terminal everything else gives way, single words first.
    table.add_column("run", no_wrap=True, min_width=max((len(run.id) for run in listed), default=None))
    for heading in facts:
        table.add_column(heading, no_wrap=heading not in _GIVE_WAY, overflow="ellipsis")
    numbers = ["duration"] if narrow else ["epochs", "duration"]
    for heading in (*numbers, *metrics):
        table.add_column(heading, justify="right", no_wrap=True)
    for run in listed:
        table.add_row(
            Text(run.id),
            *(Text(fact(run) or "") for fact in facts.values()),
            *([] if narrow else ["" if run.epochs is None else str(run.epochs)]),
            _duration(run, briefly=narrow),
            *(_measured(run, metric) for metric in metrics),
        )
    if listed:
        screen.print_table(table)


def _duration(run: RunSummary, *, briefly: bool) -> str:
    """`3 min 05 s`; of a resumed run `3 min 05 s of 12 min 40 s`, its last attempt, of all together.

    Args:
        run: which.
        briefly: of all together alone.
    """
    if run.total_seconds is None:
        return ""
    total = clock.duration(run.total_seconds)
    if briefly or run.duration_seconds in (None, run.total_seconds):
        return total
    return f"{clock.duration(run.duration_seconds)} of {total}"


def _measured(run: RunSummary, metric: str) -> str:
    """`0.812 (0.74-0.87)`: the value and its 95 % interval, where the run has them."""
    value, limits = run.metrics.get(metric), run.intervals.get(metric)
    if value is None:
        return ""
    return f"{value:.3f}" if limits is None else f"{value:.3f} ({limits[0]:.2f}-{limits[1]:.2f})"
