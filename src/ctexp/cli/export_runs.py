"""`export-runs`: finished runs to a tracker that was not told of them, or not of all, while they trained."""

from collections.abc import Sequence
from pathlib import Path

from ctexp.cli.meant import all_of
from ctexp.config.compose import compose, resolve_paths
from ctexp.config.schema.running import LoggerSettings
from ctexp.core import screen
from ctexp.core.errors import CtexpError, PreflightError, UsageError
from ctexp.core.locks import FileLock
from ctexp.core.names import did_you_mean
from ctexp.core.paths import project_root, shown
from ctexp.monitor.neighbours import Neighbours
from ctexp.record.run_dir import RunDir
from ctexp.trackers import replay
from ctexp.trackers.choosing import require_installed
from ctexp.trackers.mlflow_store import DATABASE

_TO = ("mlflow", "tensorboard", "wandb", "comet")


def export_runs(
    to: str | None, runs: Sequence[str] | None, url: str | None, checkpoints: bool, json: bool
) -> int:
    """Push the runs that are meant, or all; the exit code of a preflight where any could not be.

    Raises:
        UsageError: no tracker is named, there is none of this name, or it takes no address.
        PreflightError: its package is not installed, or it cannot be reached.
    """
    if to is None:
        raise UsageError("export-runs: where to?", f"--to {'|'.join(_TO)}")
    root = project_root()
    settings = _settings(root, to, url, checkpoints)
    folder = resolve_paths(root)[1]
    chosen, unended = _chosen(root, folder, runs or [])
    if unended:
        screen.note(f"running, or killed and not resumed, left for later: {', '.join(unended)}")
    outcome, failed = _pushed(replay.Replay(to, settings, folder, screen.warn), to, folder, chosen)
    pushed = [run for run, what in outcome.items() if what == "pushed"]
    if json:
        unchanged = [run for run, what in outcome.items() if what == "unchanged"]
        screen.emit_json({"to": to, "pushed": pushed, "unchanged": unchanged, "failed": failed})
    else:
        print(f"{len(pushed)} pushed, {len(outcome) - len(pushed)} unchanged, {len(failed)} failed")
        print(f"look at them: {_look(to, settings, folder)}")
    for run, problem in failed.items():
        screen.note(f"{run}: {problem}")
    return PreflightError.exit_code if failed else 0


def _settings(root: Path, to: str, url: str | None, checkpoints: bool) -> LoggerSettings:
    if to not in _TO:
        near = did_you_mean(to, _TO) or f"one of {', '.join(_TO)}"
        raise UsageError(f"--to: {to!r} is no tracker for records", near)
    if url is not None and to != "mlflow":
        raise UsageError(f"--url: {to} has none", "leave it out")
    words = [f"logger={to}", "logger.mode=offline", f"logger.log_model={'best' if checkpoints else 'none'}"]
    settings = compose([*words, *([f"logger.url={url}"] if url else [])], root).settings.logger
    require_installed((to,), instead="--to wandb, which is installed")
    return settings


def _chosen(root: Path, folder: Path, said: Sequence[str]) -> tuple[list[RunDir], list[str]]:
    """The runs that are meant and whose end is recorded, oldest first, and the others."""
    others = Neighbours(folder)
    wanted = {run for word in said for run in all_of(root, others, word)} if said else None
    ended, unended = [], []
    for one in reversed(others.every):
        if wanted is not None and one.id not in wanted:
            continue
        run = RunDir(one.path)
        if one.state == "running" or not run.result.is_file():
            unended.append(one.id)
        else:
            ended.append(run)
    return ended, unended


def _pushed(
    to_it: replay.Replay, to: str, folder: Path, chosen: Sequence[RunDir]
) -> tuple[dict[str, str], dict[str, str]]:
    """What became of each run, and what went wrong with the others."""
    outcome: dict[str, str] = {}
    failed: dict[str, str] = {}
    lock = FileLock(folder / replay.FOLDER / f"{to}.lock", f"export-runs --to {to}")
    lock.acquire()
    try:
        to_it.reach()
        with screen.steps() as report:
            for number, run in enumerate(chosen, start=1):
                try:
                    outcome[run.id] = to_it.push(run)
                except CtexpError as error:
                    failed[run.id] = str(error)
                except Exception as error:  # a tracker may fail in any way it likes
                    failed[run.id] = f"{to}: {type(error).__name__}: {error}".splitlines()[0]
                report("runs", number, len(chosen))
    finally:
        lock.release()
    return outcome, failed


def _look(to: str, settings: LoggerSettings, folder: Path) -> str:
    """What to type next."""
    place = shown(folder)
    match to:
        case "mlflow" if settings.url:
            return settings.url
        case "mlflow":
            return f".venv/bin/mlflow ui --backend-store-uri sqlite:///{place}/{DATABASE}"
        case "tensorboard":
            return f".venv/bin/tensorboard --logdir {place}"
        case "comet":
            return f".venv/bin/comet upload {place}/{replay.FOLDER}/comet/*/tracker/comet/*.zip"
        case _:
            return "scripts/inv wandb-sync sends them"
