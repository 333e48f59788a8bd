"""What Weights & Biases' client keeps of a run until it has been sent."""

from pathlib import Path


def unsynced(folder: Path) -> list[Path]:
    """The segments of a run, offline or broken off online, that are not marked as synced.

    Args:
        folder: the run directory.
    """
    segments = [*(folder / "wandb").glob("offline-run-*"), *(folder / "wandb").glob("run-*")]
    return [segment for segment in sorted(segments) if not any(segment.glob("*.wandb.synced"))]
