"""`wandb-sync`: offline runs to Weights & Biases, by its own client."""

import subprocess
import sys
from pathlib import Path

from ctexp.cli.meant import all_of
from ctexp.config.compose import resolve_paths
from ctexp.core import screen
from ctexp.core.errors import PreflightError
from ctexp.core.locks import FileLock
from ctexp.core.paths import project_root
from ctexp.monitor.neighbours import Neighbours
from ctexp.record.find import run_paths
from ctexp.record.run_dir import RunDir
from ctexp.record.segments import unsynced
from ctexp.trackers import replay
from ctexp.trackers.weights_and_biases import unreachable

_TIMEOUT = 600.0
_ANSWER = 30.0
"""Seconds that the service may take to answer at all."""


def wandb_sync(run: str, json: bool) -> int:
    """Push every segment that is not synced yet; the exit code of a preflight when any could not be."""
    root = project_root()
    runs_dir = resolve_paths(root)[1]
    found = [RunDir(path) for path in run_paths(runs_dir)]
    if run:
        wanted = all_of(root, Neighbours(runs_dir), run)
        found = [one for one in found if one.id in wanted]
    running = [one.id for one in found if one.lock().is_held()]
    if running:
        screen.note(f"still running, left for later: {', '.join(running)}")
    folders = [one.path for one in found if one.id not in running]
    folders += [] if run else [*_of_handlers(runs_dir / "research"), *_pushed(runs_dir)]
    segments = [segment for folder in folders for segment in unsynced(folder)]
    # Asked first: the client itself tries for many minutes.
    problem = unreachable(_ANSWER) if segments else ""
    outcome = {str(segment): problem or _push(segment) for segment in segments}
    failed = [segment for segment, problem in outcome.items() if problem]
    error = PreflightError(
        [f"{segment}: {outcome[segment]}" for segment in failed],
        "set WANDB_API_KEY or run `.venv/bin/wandb login`, check the network, and sync again",
    )
    if json:
        screen.emit_json({"synced": len(outcome) - len(failed), "failed": {s: outcome[s] for s in failed}})
    elif not outcome:
        print("nothing to sync")
    else:
        print(f"synced {len(outcome) - len(failed)} of {len(outcome)} offline runs")
    if not failed:
        return 0
    # Told here and not raised: with --json the document above is the one on stdout.
    for line in error.lines():
        screen.note(line)
    return error.exit_code


def _of_handlers(folder: Path) -> list[Path]:
    """Where handlers of research have logged; a lock beside them is held while any is at work."""
    locks = [FileLock(path, "research") for path in folder.glob("*.lock")]
    return [] if any(lock.is_held() for lock in locks) else sorted(folder.glob("*/"))


def _pushed(runs: Path) -> list[Path]:
    """Where `export-runs` has put records for W&B."""
    return sorted((runs / replay.FOLDER / "wandb").glob("*/"))


def _push(segment: Path) -> str:
    """Hand one segment to the client; what went wrong, or nothing."""
    client = [str(Path(sys.executable).with_name("wandb")), "sync", "--no-include-synced", str(segment)]
    screen.note(f"syncing {segment.name}")
    try:
        done = subprocess.run(client, capture_output=True, text=True, timeout=_TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        return f"no answer within {_TIMEOUT:.0f} s"
    if done.returncode == 0 and any(segment.glob("*.wandb.synced")):
        return ""
    said = (done.stderr + done.stdout).strip().splitlines()
    return said[-1] if said else f"wandb sync ended with {done.returncode}"
