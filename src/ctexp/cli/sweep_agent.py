"""`sweep-agent`: take trials of a sweep, train them, tell what came of them; or have others do so."""

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ctexp.cli.sweep_outcome import progress_of, tell_best
from ctexp.cli.sweep_rows import seconds
from ctexp.cli.train import heed_changes
from ctexp.config.compose import paths_of, resolve_paths
from ctexp.core import clock, files, screen
from ctexp.core.errors import CriterionNotMet, DataError, PreflightError, Stopped, UsageError
from ctexp.core.gpu import detect_gpus
from ctexp.core.paths import project_root, shown, splits_folder
from ctexp.data.selection import select
from ctexp.executors.settings import DEFAULT
from ctexp.executors.trainers import Fresh, Trainer
from ctexp.planning.plan import window
from ctexp.record import git
from ctexp.record.manifest import command_line, flag_words
from ctexp.record.sweep import FOLDER, Sweep, SweepDir, SweepProgress
from ctexp.sweeps.agent.stopping import Stops
from ctexp.sweeps.agent.tally import AgentSummary
from ctexp.sweeps.agent.trial import Bench
from ctexp.sweeps.board.opening import kept, open_board
from ctexp.sweeps.file.composing import Trials
from ctexp.sweeps.file.load import load
from ctexp.sweeps.file.spec import Spec
from ctexp.sweeps.space import Values
from ctexp.sweeps.trials import Board

_CLOCK = re.compile(r"[0-9]{1,2}:[0-9]{2}")
_BACK = "bring the old one back (git log), or make a new sweep"


def sweep_agent(
    sweep_id: str,
    count: int | str | None,
    until: str | None,
    gpu: int | str | None,
    storage: str | None,
    fresh: bool,
    executor: str | None,
    agents: int | str | None,
    yes: bool,
    json: bool,
) -> int:
    """Work on a sweep, or with an executor have agents work on it; the exit code.

    Raises:
        Stopped: a signal asked for an end; the trial under way is saved and given back.
        CtexpError: nothing can be trained here.
    """
    root = project_root()
    runs = resolve_paths(root)[1]
    end = _moment(until)
    most = number("--count", count, 1)
    several = number("--agents", agents, 1)
    variables = _on_gpu(number("--gpu", gpu, 0))
    place = _place(runs, sweep_id, storage)
    sweep = Sweep.read(place.record)
    spec = load(place.file, sweep.file, sweep.overrides)
    trials = Trials(root, spec, sweep.overrides)
    _refuse_other(root, runs, sweep, spec, trials, yes)
    if executor is not None or several is not None:
        from ctexp.cli.sweep_crew import sweep_crew

        flags = {"--count": count, "--until": until, "--gpu": gpu, "--fresh": fresh}
        name = executor or DEFAULT
        with Stops(end) as stops:
            return sweep_crew(root, place, spec, trials, name, several, flags, stops, json)
    with (
        Stops(end) as stops,
        contextlib.closing(open_board(place, spec, sweep, trials.identity)) as board,
        _trainer(root, spec.backend, fresh, variables) as trainer,
    ):
        words = _words(root, sweep, spec, trials)
        bench = Bench(root, runs, place, spec, sweep, words, trainer, stops, variables)
        work = _work_of(spec.backend)
        summary: AgentSummary = work(board, bench, stops, count=most, tell=screen.note)
        # Not --storage: the sweep knows it from now on, and its URL may hold a password.
        again = {"--gpu": gpu, "--until": until, "--count": count}
        return _told(place, board, summary, stops, again, json)


def number(flag: str, said: int | str | None, least: int) -> int | None:
    """A flag's number; Invoke gives the text of flags that need not be there.

    Raises:
        UsageError: it is none, or too small.
    """
    if said is None:
        return None
    if not str(said).isdecimal() or int(said) < least:
        raise UsageError(f"{flag}: expected a whole number from {least} on, got {str(said)!r}")
    return int(said)


def _on_gpu(number: int | None) -> dict[str, str]:
    """The variables that have trainings see one GPU; none where none is named.

    Raises:
        PreflightError: there is no such GPU.
    """
    if number is None:
        return {}
    state = detect_gpus()
    known = [gpu.index for gpu in state.gpus]
    if number not in known:
        there = state.problem if not known else f"its GPUs are {', '.join(map(str, known))}"
        raise PreflightError(
            f"--gpu {number}: this machine has no such GPU{f' ({there})' if there else ' and no other'}",
            state.fix or ("leave --gpu out, or name one that is there" if known else "leave --gpu out"),
        )
    return {"CUDA_VISIBLE_DEVICES": str(number)}


def _moment(until: str | None) -> datetime | None:
    """When the time is over, from `07:00` or `2h`."""
    if until is None:
        return None
    said = f"until {until}" if _CLOCK.fullmatch(until.strip()) else until
    try:
        return window.parse(said).opens(clock.now().astimezone())[1]
    except UsageError as error:
        raise UsageError(f"--until: {until!r} is no time", "write 07:00, or 2h") from error


def _place(runs: Path, selector: str, storage: str | None) -> SweepDir:
    """The sweep's folder; made from its database where the sweep is another machine's."""
    if storage is None:
        return SweepDir.find(runs, selector)
    found = kept(storage, selector)
    place = SweepDir(runs / FOLDER / found.sweep.id)
    if not place.record.is_file():
        files.make_folder(place.logs)
        files.write_text(place.file, found.file)
        found.sweep.model_copy(update={"storage": storage}).write(place.record)
    return place


def _refuse_other(root: Path, runs: Path, sweep: Sweep, spec: Spec, trials: Trials, yes: bool) -> None:
    """Refuse to go on with another file, configuration, data set or split than the sweep began with.

    Raises:
        DataError: it is another now.
        PreflightError: there are uncommitted changes, and nobody wants to train with them.
    """
    values = trials.looked_at[0]
    settings = trials.composed(values).settings
    data_dir, _ = paths_of(settings.paths, root)
    data = settings.data
    selection = select(
        data_dir, splits_folder(root), data.name, data.split, data.fold, data.sample, hashed=False
    )
    changed = [
        f"{sweep.id}: {what} is not the one it began with"
        for what, now, then in (
            ("its sweep.yaml", spec.sha256, sweep.file_sha256),
            ("the configuration", trials.identity(values), sweep.config_sha256),
            (f"the data set {sweep.dataset}", selection.catalog.sha256, sweep.catalog_sha256),
            (f"the {data.split} split of {sweep.dataset}", selection.sha256, sweep.split_sha256),
        )
        if now != then
    ]
    if changed:
        raise DataError(changed, _BACK)
    heed_changes(git.capture(root, [data_dir, runs]), settings.git.dirty, yes)


def _words(root: Path, sweep: Sweep, spec: Spec, trials: Trials) -> Callable[[Values], Sequence[str]]:
    """The overrides of a trial, refused once the configuration's files say something else of the sweep."""

    def stamp() -> frozenset[tuple[Path, int, int]]:
        found = set()
        for path in (root / "conf").rglob("*.yaml"):
            with contextlib.suppress(FileNotFoundError):  # somebody is replacing it
                found.add((path, path.stat().st_mtime_ns, path.stat().st_size))
        return frozenset(found)

    known = stamp()

    def words(values: Values) -> Sequence[str]:
        nonlocal known
        if (now := stamp()) != known:
            if Trials(root, spec, sweep.overrides).identity(trials.looked_at[0]) != sweep.config_sha256:
                problem = f"{sweep.id}: conf/ was changed, the configuration is not the one it began with"
                raise DataError(problem, _BACK)
            known = now
        return trials.words(values)

    return words


@contextlib.contextmanager
def _trainer(root: Path, backend: str, fresh: bool, variables: Mapping[str, str]) -> Iterator[Trainer]:
    """What carries out the trainings here: a warm trainer, unless none is wanted."""
    cold = Fresh(root)
    if fresh or backend == "ray" or "SLURM_JOB_ID" in os.environ:
        yield cold
        return
    from ctexp.executors.warmed import Warm
    from ctexp.warm.parent import Parent

    with contextlib.ExitStack() as stack:
        try:
            given = os.environ.get("CTEXP_WARM")
            parent = None if given else stack.enter_context(Parent(root, os.environ | variables))
            socket = parent.socket if parent else Path(given or "")
        except PreflightError as error:
            screen.warn(f"every trial in a fresh process: {error}")
            yield cold
            return
        yield Warm(socket, root, cold, screen.note)


def _work_of(backend: str) -> Callable[..., AgentSummary]:
    """Who carries out a sweep."""
    if backend == "ray":
        from ctexp.sweeps.ray_tune.driver import work as on_cluster

        return on_cluster
    if backend == "wandb":
        from ctexp.sweeps.wandb_sweeps.work import work as by_service

        return by_service
    from ctexp.sweeps.agent.work import work

    return work


def _told(
    place: SweepDir,
    board: Board,
    summary: AgentSummary,
    stops: Stops,
    flags: Mapping[str, object],
    json: bool,
) -> int:
    """Print what was done; the exit code."""
    again = command_line("sweep-agent", ["--sweep-id", place.id, *flag_words(flags)])
    counted = ", ".join(f"{count} {state}" for state, count in summary.trials.items()) or "no trials"
    if stops.signum is not None:
        when = f"after {counted}" if summary.trials else "before a trial had ended"
        raise Stopped(stops.signum, when, again)
    progress = progress_of(place)
    best = progress.best if progress else None
    failed = bool(summary.trials) and best is None and set(summary.trials) == {"failed"}
    if json:
        screen.emit_json(_document(place, summary, progress))
    else:
        print(f"{counted} in {clock.duration(summary.seconds)}; ended: {summary.why}")
        tell_best(progress)
    if not failed:
        return 0
    problem = next((row.problem for row in board.rows() if row.problem), "")
    for line in CriterionNotMet(f"every trial failed: {problem}", f"look into {shown(place.logs)}").lines():
        screen.note(line)
    return CriterionNotMet.exit_code


def _document(place: SweepDir, summary: AgentSummary, progress: SweepProgress | None) -> dict[str, Any]:
    return {
        "sweep": place.id,
        "agent": summary.agent,
        "trials": summary.trials,
        "seconds": seconds(summary.seconds),
        "ended": summary.why,
        "progress": progress.document() if progress else None,
    }
