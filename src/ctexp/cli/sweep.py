"""`sweep`: a file is checked, its trials composed and costed, and a sweep made that agents can work on."""

import contextlib
import os
import shutil
import sys
from collections.abc import Sequence

from ctexp.cli import sweep_tables
from ctexp.cli.sweep_checks import Asked, checked
from ctexp.cli.sweep_costs import by_pilot
from ctexp.cli.train import heed_changes
from ctexp.core import clock, files, screen
from ctexp.core.errors import CriterionNotMet, UsageError
from ctexp.core.paths import project_root, shown
from ctexp.executors.settings import DEFAULT
from ctexp.record import git
from ctexp.record.manifest import Origin
from ctexp.record.run_dir import RunDir
from ctexp.record.sweep import Sweep, SweepDir
from ctexp.sweeps.trials import Board, Row


def sweep(
    override: Sequence[str],
    config: str,
    no_pilot: bool,
    work: bool,
    resume: str | None,
    budget: str | None,
    dry_run: bool,
    executor: str | None,
    agents: int | str | None,
    yes: bool,
    json: bool,
) -> int:
    """Make a sweep, or go on working on one; the exit code."""
    if resume is not None:
        _refuse_with_resume(resume, override, config, budget, dry_run)
        return _work(resume, executor, agents, yes, json)
    if not work and (agents is not None or (executor is not None and no_pilot)):
        raise UsageError("--executor, --agents: nobody is to work on it yet", "say --work as well")
    asked = checked(project_root(), override, config, budget)
    if executor is not None or agents is not None:
        from ctexp.cli.sweep_agent import number
        from ctexp.cli.sweep_crew import check_nodes

        number("--agents", agents, 1)
        check_nodes(asked.root, executor or DEFAULT, asked.spec, asked.runs)
    for line in (*asked.spec.ignored, *asked.notes):
        screen.warn(line)
    if dry_run:
        _tell(asked, None, None, json)
        return 0
    heed_changes(git.capture(asked.root, [asked.data_dir, asked.runs]), asked.first.settings.git.dirty, yes)
    place, board = _made(asked)
    screen.note(f"made {shown(place.path)}")
    code, pilot = (0, None) if no_pilot else _pilot(place, board, executor)
    failed = pilot is not None and pilot.state == "failed"
    if not (json and (work or failed)):
        _tell(asked, place, pilot, json)
    if pilot is not None and failed:
        raise CriterionNotMet(
            f"{place.id}: the pilot failed: {pilot.problem}",
            f"look into {shown(place.logs)}; to go on all the same: scripts/inv sweep --resume {place.id}",
        )
    if pilot is not None and asked.budget is not None and (pilot.seconds or 0.0) >= asked.budget:
        screen.warn(
            f"the budget is used up by the pilot, which is a trial like the others: "
            f"{clock.duration(pilot.seconds or 0.0)} of {clock.duration(asked.budget)}"
        )
    if code or not work:
        return code
    return _work(place.id, executor, agents, yes=True, json=json)


def _pilot(place: SweepDir, board: Board, executor: str | None) -> tuple[int, Row | None]:
    """Run one trial, as an agent would; its exit code, and what came of the trial."""
    screen.note("pilot: one trial shows that they can be trained, and what they cost")
    with contextlib.redirect_stdout(sys.stderr):
        one = None if executor is None else 1
        code = _work(place.id, executor, one, yes=True, json=False, count=1)
    return code, next(iter(board.rows()), None)


def _work(
    selector: str,
    executor: str | None,
    agents: int | str | None,
    yes: bool,
    json: bool,
    count: int | None = None,
) -> int:
    """Be an agent of a sweep, or have some; the exit code."""
    from ctexp.cli.sweep_agent import sweep_agent

    return sweep_agent(
        sweep_id=selector,
        count=count,
        until=None,
        gpu=None,
        storage=None,
        fresh=False,
        executor=executor,
        agents=agents,
        yes=yes,
        json=json,
    )


def _tell(asked: Asked, place: SweepDir | None, pilot: Row | None, json: bool) -> None:
    """Print what was made or would be, with what it costs by all runs there are by now."""
    cost = asked.cost()
    if cost.training_seconds is None and pilot is not None and pilot.state == "finished":
        runs = [RunDir(asked.runs / run) for run in pilot.runs.values()]
        cost = by_pilot(cost, runs, pilot.seconds, asked.budget)
    if json:
        screen.emit_json(sweep_tables.document(asked, place, cost, pilot))
    else:
        sweep_tables.show(asked, place, cost, pilot)


def _refuse_with_resume(
    resume: str, override: Sequence[str], config: str, budget: str | None, dry_run: bool
) -> None:
    """A sweep goes on as it was asked for."""
    said = [*override, *(["--config"] if config else []), *(["--budget"] if budget else [])]
    if dry_run:
        raise UsageError("--resume trains; it takes no --dry-run", f"see `scripts/inv sweep-status {resume}`")
    if said:
        raise UsageError(f"--resume takes what the sweep began with, not {said[0]}", "leave it out")


def _made(asked: Asked) -> tuple[SweepDir, Board]:
    """The sweep's folder with its record, its file and its board; nothing of it where that fails.

    Raises:
        PreflightError: its database cannot be reached.
        StorageError: the disk is full or cannot be written.
    """
    from ctexp.sweeps.board.opening import open_board

    spec, first = asked.spec, asked.first
    files.probe_writable(asked.runs)
    place = SweepDir.create(asked.runs, spec.name)
    record = Sweep(
        id=place.id,
        name=spec.name,
        created=clock.iso(clock.now()),
        command=asked.command,
        file=asked.file,
        file_sha256=spec.sha256,
        overrides=asked.overrides,
        common=spec.overrides,
        method=spec.method,
        metric=spec.metric,
        goal=spec.goal,
        backend=spec.backend,
        storage=spec.storage,
        config_sha256=asked.trials.identity(asked.trials.looked_at[0]),
        dataset=asked.selection.catalog.name,
        catalog_sha256=asked.selection.catalog.sha256,
        split_sha256=asked.selection.sha256,
        seed=first.settings.seed,
        budget_seconds=asked.budget,
        origin=Origin.of(os.environ),
    )
    try:
        files.write_bytes(place.file, asked.path.read_bytes())
        record.write(place.record)
        return place, open_board(place, spec, record, asked.trials.identity, create=True)
    except BaseException:
        shutil.rmtree(place.path, ignore_errors=True)
        raise
