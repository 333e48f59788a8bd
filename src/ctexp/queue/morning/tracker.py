"""Runs of an online tracker that have not arrived there: pushed once more, within a bound.

What a person keeps offline stays offline: `inv wandb-sync` pushes it when they say so.
"""

import sys
import time
from collections.abc import Iterable
from pathlib import Path

from ctexp.queue.morning.bounded import ended, started
from ctexp.record.run_dir import RunDir
from ctexp.record.segments import unsynced

PATIENCE = 300.0
"""Seconds for all runs of a night."""


def sync(root: Path, runs: Iterable[RunDir], patience: float = PATIENCE) -> list[str]:
    """Push what has been left behind; what a person should know of it, one line each. Never raises."""
    behind = [run for run in runs if _online(run) and unsynced(run.path)]
    deadline = time.monotonic() + patience
    failed = [run.id for run in behind if not _pushed(root, run, deadline)]
    if not failed:
        return []
    told = f"{len(failed)} of {len(behind)} runs did not reach the tracker"
    return [f"{told}: scripts/inv wandb-sync tries again"]


def _online(run: RunDir) -> bool:
    manifest = run.read().manifest
    tracker = manifest.tracker if manifest else None
    return tracker is not None and tracker.mode == "online"  # which only W&B is


def _pushed(root: Path, run: RunDir, deadline: float) -> bool:
    """Whether the run's segments arrived before the deadline."""
    left = deadline - time.monotonic()
    if left <= 0:
        return False
    words = [str(Path(sys.executable).with_name("inv")), "wandb-sync", "--run", run.id]
    try:
        return ended(started(words, root), left) == 0
    except OSError:
        return False
