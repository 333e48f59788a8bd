"""`monitor`: what looks wrong with runs, with evidence and advice; live, or years later."""

from pathlib import Path

from ctexp.cli import monitor_tables
from ctexp.cli.meant import all_of
from ctexp.config.paths import resolve_paths
from ctexp.core import screen
from ctexp.core.errors import CriterionNotMet, UsageError
from ctexp.core.paths import project_root
from ctexp.monitor import live as following
from ctexp.monitor.finding import Report
from ctexp.monitor.judge import report
from ctexp.monitor.neighbours import Neighbours
from ctexp.record.find import no_runs

_NEWEST = "latest"


def monitor(run: str, all: bool, live: bool, strict: bool, json: bool) -> int | None:
    """Look at runs, or follow those that train; the exit code, 12 where `strict` and anything is a warning.

    Args:
        run: which one, or which ones by their name.
        all: every run.
        live: follow what trains now.
        strict: whether findings decide the exit code.
        json: whether to print the document.
    """
    if all and run != _NEWEST:
        raise UsageError(f"--all: every run is looked at already, {run!r} too", f"leave out {run!r} or --all")
    if all and live:
        raise UsageError("--all: every run that trains is followed already", "leave --all out")
    root = project_root().resolve()
    runs = resolve_paths(root)[1]
    found = _followed(root, runs, run, json) if live else _looked(root, runs, run, all)
    if json:
        screen.emit_json(found.document())
    elif not live:
        monitor_tables.tell(found)
    return CriterionNotMet.exit_code if strict and found.objects else None


def _looked(root: Path, runs: Path, run: str, all: bool) -> Report:
    with screen.status("reading runs"):
        others = Neighbours(runs)
        if all and not others.every:
            raise no_runs(runs)
        every = [one.id for one in others.every]
        chosen = every if all else all_of(root, others, run)
    with screen.steps() as progress:
        return report(chosen, root, others, whole=all, progress=progress)


def _followed(root: Path, runs: Path, run: str, json: bool) -> Report:
    """Tell changes as they come; what was found of all that was followed."""
    only = None
    if run != _NEWEST:
        only = all_of(root, Neighbours(runs), run)
    seen: dict[str, None] = {}
    for change in following.follow(root, runs, only):
        if change.state == "follows":
            seen[change.run] = None
        line = monitor_tables.change_line(change)
        if json:
            screen.note(line)
        else:
            print(line, flush=True)
    if not seen:
        screen.note("nothing trains now" if only is None else f"{run} does not train now")
    others = Neighbours(runs)
    there = [run for run in seen if others.summary(run) is not None]
    return report(there, root, others, whole=False)
