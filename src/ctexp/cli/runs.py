"""`runs` and `show`: what has been run, read from the run directories alone."""

from collections.abc import Sequence
from dataclasses import asdict

from rich.table import Table
from rich.text import Text

from ctexp.config.compose import resolve_paths
from ctexp.core import clock, screen
from ctexp.core.errors import UsageError
from ctexp.core.metric_names import canonical, higher_is_better
from ctexp.core.names import did_you_mean
from ctexp.core.paths import project_root, shown
from ctexp.record import blocks, index
from ctexp.record.find import find
from ctexp.record.index import RunSummary
from ctexp.record.show import describe

_STATES = ("running", "finished", "interrupted", "diverged", "oom", "timeout", "failed", "unreadable")
_WIDE = 150
_SHOWN = ("val/macro_f1", "val/accuracy", "val/miss_rate")


def runs(name: str | None, tag: Sequence[str], state: str | None, sort: str, limit: int, json: bool) -> None:
    """List runs, newest or best first."""
    if state is not None and state not in _STATES:
        raise UsageError(f"--state: {state!r} is no state of a run", did_you_mean(state, _STATES))
    if limit < 0:
        raise UsageError(f"--limit: {limit} is negative", "0 lists all")
    every = index.list_runs(resolve_paths(project_root())[1])
    chosen = index.select(every, name=name, tags=tag, states=[state] if state else [])
    column, metric = _column(sort)
    ascending = metric and not higher_is_better(column)
    chosen = index.order(chosen, column, descending=not ascending) if chosen else []
    listed = chosen[:limit] if limit else chosen
    if json:
        screen.emit_json({"runs": [_document(run) for run in listed], "matching": len(chosen)})
        return
    _print(listed, column if metric else None)
    if len(listed) < len(chosen):
        screen.note(f"{len(listed)} of {len(chosen)} runs; --limit 0 lists all")
    if not every:
        screen.note("no runs yet: scripts/inv quickstart makes the first")


def show(run: str, json: bool) -> None:
    """Show one run: its blocks, or with `json` everything its directory says."""
    found = find(resolve_paths(project_root())[1], run)
    document = describe(found)
    if json:
        screen.emit_json(document.document())
        return
    for problem in document.problems:
        screen.warn(problem)
    for line in document.pruned:
        screen.note(line)
    print(f"{found.id}  {document.state}")
    if document.manifest is not None:
        print(blocks.manifest_block(document.manifest, shown(found.path)), end="")
    if document.result is not None:
        estimate = document.manifest.estimate if document.manifest else None
        block = blocks.results_block(document.result, shown(found.path), shown(found.train_log), estimate)
        print(block, end="")
    elif document.state == "interrupted":
        screen.note(f"no end was recorded -> scripts/inv train --resume {found.id}")


def _column(sort: str) -> tuple[str, bool]:
    """What `--sort` means, and whether it is a metric; unknown names are left for `index.order` to refuse."""
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
    if console.is_terminal and console.width < _WIDE:
        metrics = metrics[:1]  # one number with its interval says more than three without
    table = Table(box=None, pad_edge=False)
    with_features = any(run.features for run in listed)
    columns = ["run", "state", "model", *(["features"] if with_features else []), "data"]
    for heading in (*columns, "epochs", "duration", *metrics):
        # A run's id is there to be copied: on a narrow terminal everything else gives way first.
        width = max(len(run.id) for run in listed) if heading == "run" and listed else None
        left = heading in columns
        table.add_column(heading, justify="left" if left else "right", no_wrap=True, min_width=width)
    for run in listed:
        table.add_row(
            Text(run.id),
            run.state,
            Text(run.model or ""),
            *([run.features or "image alone"] if with_features else []),
            Text(run.dataset or ""),
            "" if run.epochs is None else str(run.epochs),
            "" if run.duration_seconds is None else clock.duration(run.duration_seconds),
            *(_measured(run, metric) for metric in metrics),
        )
    if listed:
        console.print(table)


def _measured(run: RunSummary, metric: str) -> str:
    """`0.812 (0.74-0.87)`: the value and its 95 % interval, where the run has them."""
    value, limits = run.metrics.get(metric), run.intervals.get(metric)
    if value is None:
        return ""
    return f"{value:.3f}" if limits is None else f"{value:.3f} ({limits[0]:.2f}-{limits[1]:.2f})"
