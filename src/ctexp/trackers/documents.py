"""Which files of a run directory a tracker is given, where it keeps files at all."""

from pathlib import Path

from ctexp.record.run_dir import RunDir

_DOCUMENTS = (
    "config.yaml",
    "history.csv",
    "metrics.json",
    "calibration.json",
    "predictions_*.parquet",
    "summary.txt",
)


def documents_of(run: RunDir) -> tuple[Path, ...]:
    """The small files that say what the run is and what came of it, as far as there are any yet."""
    return tuple(path for pattern in _DOCUMENTS for path in sorted(run.path.glob(pattern)))


def figures_of(run: RunDir) -> tuple[Path, ...]:
    """Its pictures."""
    return tuple(sorted(run.figures.glob("*.png")))
