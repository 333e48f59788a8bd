"""`plan-check`: everything wrong with a plan at once; then what its night will hold."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from ctexp.cli.plan_tables import print_schedule
from ctexp.config.compose import resolve_paths
from ctexp.core import clock, screen
from ctexp.core.errors import PreflightError
from ctexp.core.gpu import detect_gpus
from ctexp.core.paths import project_root
from ctexp.core.wording import many
from ctexp.executors.devices import is_declared
from ctexp.executors.places import devices_of
from ctexp.executors.settings import DEFAULT, ExecutorSettings, SlurmSettings
from ctexp.executors.settings import load as load_executor
from ctexp.executors.slots import Device, slots_of
from ctexp.planning.checking.check import check
from ctexp.planning.checking.checked import Checked
from ctexp.planning.past import Past
from ctexp.planning.plan.load import Loaded, locate, read
from ctexp.planning.schedule import measure as measuring
from ctexp.planning.schedule.lanes import gpus_each, refuse_too_large, said_of
from ctexp.planning.schedule.measurements import Measurements
from ctexp.planning.schedule.night import schedule
from ctexp.planning.schedule.schedule import Schedule
from ctexp.planning.schedule.weights import Weights, check_weights


def plan_check(plan: str, measure: bool, executor: str, json: bool) -> int:
    """Check, estimate and fit a plan; 4 where it is sound but this machine cannot carry it out."""
    root = project_root().resolve()
    settings = load_executor(root, executor)
    path = locate(root, plan)
    loaded = read(path, path.relative_to(root).as_posix())
    checked = check(loaded, root)
    for line in checked.warnings:
        screen.warn(line)
    checked.refuse()
    runs = resolve_paths(root)[1]
    weights, refused = _found_out(checked, root, runs) if measure else (None, [])
    devices = _devices(root, executor, settings, checked)
    found = schedule(checked.jobs, loaded.plan, runs, clock.now(), devices)
    if is_declared(settings):
        refuse_too_large(devices, {entry.job: entry.cost for entry in found.entries})
    for line in (*found.warnings, *found.unmeasured):
        screen.warn(line)
    refused += found.problems
    means = _means(settings, found)
    if json:
        where = {"name": executor, "kind": settings.kind, "said": means, "slots": slots_of(devices)}
        screen.emit_json(_document(loaded, checked, found, weights, refused) | {"executor": where})
    else:
        is_news = devices or executor != DEFAULT
        _print(loaded, checked, found, weights, f"executor {executor}: {means}" if is_news else "")
    if not refused:
        return 0
    error = PreflightError(refused)
    for line in error.lines():
        screen.note(line)
    return error.exit_code


def _devices(root: Path, executor: str, settings: ExecutorSettings, checked: Checked) -> tuple[Device, ...]:
    if isinstance(settings, SlurmSettings):  # the cluster says what runs when
        return ()
    state = detect_gpus()
    on_gpu = any(one.device in {gpu.name for gpu in state.gpus} for one in checked.jobs)
    each = gpus_each(checked.jobs) if on_gpu else 0
    return devices_of(root, executor, settings, state, gpus_each=each)


def _means(settings: ExecutorSettings, found: Schedule) -> str:
    """What it comes to that jobs run there."""
    if not isinstance(settings, SlurmSettings):
        return said_of(found.devices) if found.devices else "one job at a time"
    most = f", {settings.at_once} at once at most" if settings.at_once else ""
    return (
        f"an array of {found.totals.jobs} tasks and one for the analysis{most}; when each begins is the "
        "cluster's choice: below they come one after the other"
    )


def _found_out(checked: Checked, root: Path, runs: Path) -> tuple[Weights, list[str]]:
    """Fetch weights, measure what nobody knows; the weights, and what cannot be had or measured."""
    with screen.status("looking for pretrained weights"):
        weights = check_weights(checked.jobs, root, runs, fetch=True)
    able = [one for one in checked.jobs if one.job.experiment not in weights.lacking]
    kinds = measuring.unknown(able, Past.load(runs), Measurements.load(runs))
    with screen.steps() as report:
        failed = measuring.measure(kinds, root, runs, report)
    return weights, [*weights.problems, *(one.line for one in failed)]


def _document(
    loaded: Loaded, checked: Checked, found: Schedule, weights: Weights | None, refused: list[str]
) -> dict[str, Any]:
    return {
        "plan": loaded.plan.name,
        "path": loaded.shown,
        "sha256": loaded.sha256,
        "experiments": len(loaded.plan.experiments),
        "warnings": [*checked.warnings, *found.warnings, *found.unmeasured],
        "refused": refused,
        "weights": None if weights is None else [asdict(one) for one in weights.found],
        "schedule": found.document(),
    }


def _print(loaded: Loaded, checked: Checked, found: Schedule, weights: Weights | None, means: str) -> None:
    jobs, experiments = len(checked.jobs), len(loaded.plan.experiments)
    warnings = len(checked.warnings)
    doubts = f", {many(warnings, 'warning')}" if warnings else ""
    print(f"{loaded.shown}: {many(jobs, 'job')} of {many(experiments, 'experiment')}{doubts}")
    for one in weights.found if weights else ():
        print(f"weights of {one.name}: {one.source}, SHA-256 {one.sha256[:12]}")
    if means:
        print(means)
    print_schedule(found)
    if found.totals.unknown and weights is None:
        screen.note(f"time what nobody knows: scripts/inv plan-check {loaded.plan.name} --measure")
