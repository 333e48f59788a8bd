"""What a diagnosis rests on, made by hand: answers of networks that are what they seem, curves, recipes."""

import math
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ctexp.config.verdict import VerdictSettings, load
from ctexp.core.classes import CLASSES
from ctexp.evaluation import scores
from ctexp.evaluation.health.facts import Facts
from ctexp.evaluation.predictions import Predictions
from ctexp.planning.diagnosis.evidence import Evidence, Training
from ctexp.planning.study.data import DataFacts
from ctexp.planning.study.differences import Difference
from ctexp.planning.study.noise import Noise, pooled
from ctexp.planning.study.recipes import Recipe, Trained
from ctexp.record.index import RunSummary
from ctexp.record.run_dir import RunDir
from tests.project import HERE

Row = dict[str, float | None]
SETTINGS: dict[str, Any] = {
    "trainer.monitor": "val/macro_f1",
    "data.image_size": 224,
    "optimizer.lr": 1e-4,
    "sampler.name": "uniform",
    "augment.mixup": 0.0,
    "augment.cutmix": 0.0,
}


@cache
def verdict_settings() -> VerdictSettings:
    return load(HERE)


def answers(
    counts: Sequence[int],
    skill: float,
    seeds: int = 1,
    *,
    draw: int = 0,
    shared: float = 0.7,
    sharpness: float = 1.0,
    copies: int = 1,
) -> dict[int, Predictions]:
    """Networks that see each image's class through noise, and say exactly what they know.

    An image is a point that lies by `skill` along its class's axis, with noise of deviation 1 about it, of
    which the share `shared` is the same for every seed. Its logits are then `skill` times the point.

    Args:
        counts: images of each class.
        skill: next to 0 for guesses.
        seeds: trainings.
        draw: of the images and the noise.
        shared: 0 to 1.
        sharpness: what logits are multiplied by; 1 is calibrated.
        copies: each image so many times, as a group.
    """
    rng = np.random.default_rng(draw)
    label = np.repeat(np.arange(len(CLASSES)), counts)
    n = len(label)
    common = rng.normal(size=(n, len(CLASSES))) * math.sqrt(shared)
    made = {}
    for seed in range(1, seeds + 1):
        point = common + rng.normal(size=(n, len(CLASSES))) * math.sqrt(1 - shared)
        point[np.arange(n), label] += skill
        made[seed] = table(label, sharpness * skill * point, copies)
    return made


def table(label: np.ndarray[Any, Any], logits: np.ndarray[Any, Any], copies: int = 1) -> Predictions:
    """Answers as runs keep them."""
    place = np.repeat(np.arange(len(label)), copies)
    return Predictions(
        image_id=tuple(f"val/{one:05d}.png" for one in range(len(place))),
        sha256=tuple(f"{one:064x}" for one in range(len(place))),
        group=tuple(f"g{one:05d}" for one in place),
        label=label[place].astype(np.int64),
        logits=logits[place].astype(np.float32),
    )


def curve(
    epochs: int = 30,
    *,
    train_accuracy: float = 0.97,
    val_accuracy: float = 0.93,
    time: float = 5.0,
    train_loss: float = 0.1,
    val_loss: float = 0.25,
    val_rise: float = 0.0,
    jumps: float = 0.0,
    recalls: Mapping[str, float] | None = None,
) -> list[Row]:
    """Epochs that approach their ends exponentially, with time constant `time`.

    Args:
        epochs: how many.
        train_accuracy: in the end; the others likewise.
        val_rise: by how much the validation loss rises again, evenly over the second half.
        jumps: deviation of validation accuracy from one epoch to the next.
        recalls: of classes in the end, where they differ from `val_accuracy`.
    """
    rng, rows = np.random.default_rng(1), []
    for epoch in range(1, epochs + 1):
        left = math.exp(-epoch / time)
        late = max(0.0, epoch / epochs - 0.5) * 2
        val = val_accuracy + (0.25 - val_accuracy) * left - 0.05 * late * (val_rise > 0)
        val = float(np.clip(val + jumps * rng.normal() + 0.003 * rng.normal(), 0, 1))
        row: Row = {
            "epoch": float(epoch),
            "train/loss": train_loss + (math.log(4) - train_loss) * left,
            "train/accuracy": train_accuracy + (0.25 - train_accuracy) * left,
            "val/loss": val_loss + (math.log(4) - val_loss) * left + val_rise * late,
            "val/accuracy": val,
            "val/macro_f1": val,
            "val/auroc": 0.5 + (0.5 * val if val > 0.3 else 0.0),
            "learning_rate": 1e-4 * (1 + math.cos(math.pi * epoch / epochs)) / 2,
            "train/gradient_norm": 1.0,
            "train/gradient_norm_max": 2.0,
        }
        ends = dict.fromkeys(CLASSES, val_accuracy) | dict(recalls or {})
        row |= {f"val/recall_{name}": end + (0.25 - end) * left for name, end in ends.items()}
        rows.append(row)
    return rows


def facts(
    train: Sequence[int] = (195, 115, 155, 148),
    val: Sequence[int] = (60, 60, 60, 60),
    *,
    leaks: Mapping[str, int] | None = None,
    leaks_known: bool = True,
    median_size: tuple[int, int] | None = (230, 220),
    shortcut: str = "",
) -> DataFacts:
    rows = {"train": dict(zip(CLASSES, train, strict=True)), "val": dict(zip(CLASSES, val, strict=True))}
    return DataFacts(
        rows, rows, leaks or {}, leaks_known, median_size, shortcut, "data/audit/made/audit.json"
    )


def recipe(
    title: str = "base",
    seeds: Sequence[int] = (1,),
    *,
    settings: Mapping[str, Any] | None = None,
    diverged: int = 0,
    parameters: int = 1000,
) -> Recipe:
    trained = tuple(
        Trained(seed, RunDir(Path(f"{title}-{seed}")), summary(title, seed, "finished", parameters))
        for seed in seeds
    )
    lost = tuple(summary(title, 90 + one, "diverged", parameters) for one in range(diverged))
    return Recipe(title, (), SETTINGS | dict(settings or {}), trained, lost)


def summary(title: str, seed: int, state: str, parameters: int) -> RunSummary:
    named = {
        "id": f"{title}-{seed}",
        "path": Path(f"{title}-{seed}"),
        "name": title,
        "state": state,
        "seed": seed,
    }
    nothing = dict.fromkeys(
        (
            "created",
            "started",
            "model",
            "features",
            "dataset",
            "epochs",
            "duration_seconds",
            "exit_code",
            "commit",
        )
    )
    fields: dict[str, Any] = named | nothing | {"dirty": None, "problem": None, "parameters": parameters}
    return RunSummary(**fields, tags=(), description="", metrics={}, intervals={})


def difference(
    after: str, value: float, se: float = 0.01, *, p: float | None = None, source: str = "measured"
) -> Difference:
    return Difference(
        metric="val/macro_f1",
        before="base",
        after=after,
        difference=value,
        se=se,
        image_se=se,
        seed_se=0.0,
        seed_source=source,
        low=value - 2 * se,
        high=value + 2 * se,
        p=math.erfc(abs(value) / se / math.sqrt(2)) if p is None else p,
        cites=("base-1", f"{after}-1"),
    )


def evidence(
    tables: Mapping[int, Predictions],
    rows: Sequence[Row] | Mapping[int, Sequence[Row]] | None = None,
    *,
    data: DataFacts | None = None,
    incumbent: Recipe | None = None,
    others: Sequence[Recipe] = (),
    failed: Sequence[Recipe] = (),
    differences: Sequence[Difference] = (),
    noise: Noise | None = None,
    max_epochs: int = 30,
) -> Evidence:
    """What was gathered of a recipe: by default one that trained well on the images of `facts()`."""
    data = data or facts()
    seeds = tuple(tables)
    incumbent = incumbent or recipe(seeds=seeds)
    curves = rows if isinstance(rows, Mapping) else dict.fromkeys(seeds, curve() if rows is None else rows)
    counts = {split: tuple(its.values()) for split, its in data.rows.items()}
    known = Facts("val/macro_f1", counts, max_epochs)
    values = {
        seed: float(scores.weighted(its.label, its.logits, np.ones((1, len(its.label))))["macro_f1"][0])
        for seed, its in tables.items()
    }
    return Evidence(
        data=data,
        settings=verdict_settings(),
        recipes=(incumbent, *others),
        failed=tuple(failed),
        incumbent=incumbent,
        trainings=tuple(Training(f"base-{seed}", f"seed {seed}", its, known) for seed, its in curves.items()),
        tables=tables,
        values=values,
        image_error=0.02,
        noise=noise or pooled([list(values.values())]),
        differences=tuple(differences),
    )
