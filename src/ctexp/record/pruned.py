"""What was deleted of a run to free disk, and how the run remembers it.

Each deletion is written into the run's events before it happens. After a kill in the middle a run says that
files were pruned, and has them or not: either is a record to rely on.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ctexp.core import files
from ctexp.core.errors import DataError, StorageError
from ctexp.record import events
from ctexp.record.checkpoint_files import BEFORE_LAST, BEST, LAST, SUMS, read_sums, write_sums
from ctexp.record.manifest import Manifest
from ctexp.record.run_dir import RunDir

KIND = "pruned"
"""What the event of a deletion is called."""


@dataclass(frozen=True)
class Doomed:
    """A file that may go: its path in the run directory, and why."""

    name: str
    size: int
    reason: str


def delete(run: RunDir, doomed: Sequence[Doomed]) -> None:
    """Delete files of a run whose lock is held, and write that into its events first.

    Raises:
        StorageError: the folder cannot be written.
    """
    log = events.EventLog(run.events)
    late: list[dict[str, Any]] = []
    for reason, its in _by_reason(doomed).items():
        about = {
            "files": [file.name for file in its],
            "bytes": sum(file.size for file in its),
            "reason": reason,
        }
        try:
            log.write(KIND, **about)
        except StorageError:  # the very disk that is to be freed may be too full to say so first
            late.append(about)
    with files.storage_errors(run.checkpoints / BEST):
        for file in doomed:
            (run.path / file.name).unlink(missing_ok=True)
    if (run.checkpoints / SUMS).exists():
        sums = read_sums(run.checkpoints)
        write_sums(
            run.checkpoints,
            {name: digest for name, digest in sums.items() if (run.checkpoints / name).exists()},
        )
    for about in late:
        log.write(KIND, **about)


def _by_reason(doomed: Sequence[Doomed]) -> dict[str, list[Doomed]]:
    grouped: dict[str, list[Doomed]] = defaultdict(list)
    for file in doomed:
        grouped[file.reason].append(file)
    return grouped


def told(run: RunDir, name: str) -> str | None:
    """That a checkpoint was pruned, when and why; None where it is there, or was never pruned."""
    return None if (run.checkpoints / name).exists() else _prunings(run).get(f"checkpoints/{name}")


def freed(run: RunDir) -> int:
    """Bytes that were pruned of a run, by its events."""
    sizes = (event.get("bytes") for event in events.read(run.events).events if event["kind"] == KIND)
    return sum(size for size in sizes if isinstance(size, int))


def all_told(run: RunDir) -> tuple[str, ...]:
    """The same of every checkpoint that is gone."""
    return tuple(line for name in (BEST, LAST, BEFORE_LAST) if (line := told(run, name)))


def refuse_pruned(checkpoint: Path) -> None:
    """Refuse a checkpoint that is gone because it was pruned.

    Raises:
        DataError: so it is; how to get it back stands with it.
    """
    run = RunDir(checkpoint.parent.parent)
    if line := told(run, checkpoint.name):
        try:
            way = f"train it anew: {Manifest.read(run.manifest).command}"
        except DataError:
            way = "train anew"
        raise DataError(line, way)


def _prunings(run: RunDir) -> dict[str, str]:
    """What was pruned, by its path in the run directory."""
    lines = {}
    for event in events.read(run.events).events:
        if event["kind"] == KIND and isinstance(event.get("files"), list):
            for name in filter(lambda one: isinstance(one, str), event["files"]):
                lines[name] = (
                    f"{run.id}: {Path(name).name} was pruned on {event['time']}: {event.get('reason')}"
                )
    return lines
