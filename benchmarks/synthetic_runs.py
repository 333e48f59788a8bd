"""Many runs at once: one is written by the real writers, the others are copies that differ in what is asked.

Each has what a list of runs reads (manifest, result, lock). They are drawn from a fixed seed: names of three
seeds each, six networks, metrics of 72 images (so that many are equal), one run in twenty without a result.
"""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from ctexp.core import clock
from ctexp.record.result import Measurement
from ctexp.record.run_dir import RunDir
from tests.record import samples

MODELS = ("tiny_cnn", "resnet18", "resnet50", "efficientnet_b0", "densenet121", "vit_small")
METRICS = ("val/macro_f1", "val/balanced_accuracy", "val/accuracy", "val/auroc", "val/miss_rate", "val/loss")
IMAGES = 72


class Drawn(NamedTuple):
    """What is asked of a run, the same for every store."""

    id: str
    name: str
    model: str
    seed: int
    second: int
    metrics: dict[str, float] | None


def draw(count: int) -> list[Drawn]:
    """The facts of so many runs."""
    dice = random.Random(42)
    drawn = []
    for n in range(count):
        measured = {metric: dice.randrange(IMAGES + 1) / IMAGES for metric in METRICS}
        drawn.append(
            Drawn(
                id=f"run-{n // 3}_{20_000_000 + n // 80_000:08d}-{n % 80_000:06d}_abcdef",
                name=f"run-{n // 3}",
                model=MODELS[n // 3 % len(MODELS)],
                seed=42 + n % 3,
                second=n,
                metrics=measured if dice.random() < 0.95 else None,
            )
        )
    return drawn


def write(folder: Path, drawn: list[Drawn]) -> None:
    """A directory for each run."""
    specimen = samples.run_of(folder.parent / f"{folder.name}-specimen")
    manifest, result = (json.loads(path.read_bytes()) for path in (specimen.manifest, specimen.result))
    folder.mkdir()
    for run in drawn:
        its = folder / run.id
        its.mkdir()
        (its / "lock").touch()
        about = {"run_id": run.id, "name": run.name, "seed": run.seed}
        (its / "manifest.json").write_text(json.dumps(manifest | about | _details(manifest, run)))
        if run.metrics is not None:
            end = {"run_id": run.id, "started": _moment(run.second), "metrics": _measured(run.metrics)}
            (its / "result.json").write_text(json.dumps(result | end))


def change(folder: Path, run: Drawn, accuracy: float) -> None:
    """News of one run, by the real writer."""
    directory = RunDir(folder / run.id)
    measured = {"val/macro_f1": Measurement(value=accuracy), "val/accuracy": Measurement(value=accuracy)}
    samples.result(run.id, started=_moment(run.second), metrics=measured).write(directory.result)


def _details(manifest: dict[str, Any], run: Drawn) -> dict[str, Any]:
    return {
        "created": _moment(run.second),
        "model": manifest["model"] | {"name": run.model},
        "origin": {"queue": f"night-{run.second // 100}"},
    }


def _measured(metrics: dict[str, float]) -> dict[str, Any]:
    return {
        metric: {"value": value, "low": max(0.0, value - 0.1), "high": min(1.0, value + 0.1)}
        for metric, value in metrics.items()
    }


def _moment(second: int) -> str:
    return clock.iso(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second))
