"""Runs that were never trained: whole records by the real writers, around predictions a test makes up."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ctexp.config.compose import compose
from ctexp.core import files, yaml_file
from ctexp.core.classes import CLASSES
from ctexp.evaluation import metrics
from ctexp.evaluation.answers import Answers, read
from ctexp.evaluation.predictions import Predictions
from ctexp.record import writing
from ctexp.record.calibration import Calibration, Change, FittedOn
from ctexp.record.checkpoint_files import BEST, write_sums
from ctexp.record.cross_validation import CrossValidation, CrossValidationDir, Fold
from ctexp.record.environment import Environment
from ctexp.record.git import GitState
from ctexp.record.manifest import Dataset, Origin, Weights
from ctexp.record.result import Measurement
from ctexp.record.run_dir import RunDir
from ctexp.record.subjects import Subject
from tests.project import HERE
from tests.record import samples

PACKAGES = "numpy==2.1.0\n"
CLEAN = GitState(commit=samples.COMMIT, branch="main", dirty=False)
OVERRIDES = ("data=phantom", "model=tiny_cnn", "logger=none")


def predictions(n: int = 80, skill: float = 1.0, seed: int = 0, prefix: str = "val") -> Predictions:
    """`n` images, the same for every skill and seed; more skill, fewer errors."""
    label = np.arange(n) % len(CLASSES)
    logits = np.random.default_rng(seed).normal(size=(n, len(CLASSES)))
    logits[np.arange(n), label] += skill
    return Predictions(
        image_id=tuple(f"{prefix}/{CLASSES[k]}/{i:04d}.png" for i, k in enumerate(label)),
        sha256=tuple(f"{i:064x}" for i in range(n)),
        group=tuple(f"{prefix}{i}" for i in range(n)),
        label=label.astype(np.int64),
        logits=logits.astype(np.float32),
    )


def dataset(**changes: Any) -> Dataset:
    counts = dict.fromkeys(CLASSES, 20)
    fields: dict[str, Any] = {
        "name": "phantom",
        "catalog_sha256": samples.HASH,
        "split": "official",
        "split_sha256": samples.HASH,
        "rows": {"train": counts, "val": counts, "test": counts},
        "leaks": (),
    }
    return Dataset(**fields | changes)


def a_run(
    runs: Path,
    name: str = "net",
    seed: int = 1,
    *,
    skill: float = 1.0,
    tables: Mapping[str, Predictions] | None = None,
    overrides: tuple[str, ...] = (),
    root: Path = HERE,
    state: str = "finished",
    moment: datetime | None = None,
    **changes: Any,
) -> RunDir:
    """An ended run with everything a promotion asks for.

    Args:
        runs: the folder of all runs.
        name: `run.name`.
        seed: of the training, and of the predictions that are made up.
        skill: of the predictions.
        tables: the predictions of each split instead.
        overrides: of the configuration.
        root: whose configuration.
        state: how it ended.
        moment: when it was started; now by default. Of two runs of one second neither is the newer.
        changes: to its manifest.
    """
    resolved = _resolved(overrides, root)
    resolved = resolved | {"seed": seed, "run": resolved["run"] | {"name": name}}
    canonical = json.dumps(resolved, sort_keys=True, separators=(",", ":"))
    run = RunDir.create(runs, name, moment)
    packages = files.sha256_bytes(PACKAGES.encode())
    fields: dict[str, Any] = {
        "name": name,
        "seed": seed,
        "git": CLEAN,
        "tags": (),
        "config_sha256": files.sha256_bytes(canonical.encode()),
        "dataset": dataset(),
        "environment": Environment(**dict(samples.ENVIRONMENT) | {"packages_sha256": packages}),
        "weights": Weights(source="random"),
        "hyperparameters": {"trainer.monitor": "val/macro_f1"},
        "device": "a computer",
    } | changes
    manifest = samples.manifest(run.id, **fields)
    writing.begin(
        run,
        config_yaml=yaml_file.dump(resolved),
        overrides=overrides,
        patch=b"",
        packages=PACKAGES,
        manifest=manifest,
        attempt=samples.attempt(run.id, git=manifest.git),
    )
    (run.checkpoints / BEST).write_bytes(f"weights of {run.id}".encode())
    write_sums(run.checkpoints, {BEST: files.sha256_file(run.checkpoints / BEST)})
    summaries = {}
    for split, table in (tables or {"val": predictions(skill=skill, seed=seed)}).items():
        table.write(run.predictions(split))
        summaries[split] = metrics.summarise(table, split, resamples=200)
    files.write_json(run.metrics, {"schema_version": 1, "splits": summaries})
    files.write_text(run.history, "epoch,rss_mb\n1,100\n2,120\n")
    calibration(files.sha256_file(run.checkpoints / BEST)).write(run.calibration)
    for picture in (
        "curves",
        *(f"{kind}_{split}" for kind in ("confusion", "reliability") for split in summaries),
    ):
        (run.figures / f"{picture}.png").write_bytes(b"a picture")
    codes = {"finished": 0, "interrupted": 143, "timeout": 124, "diverged": 11}
    measured = {
        name: Measurement(value=its["value"], low=its["low"], high=its["high"])
        for name, its in summaries.get("val", {"metrics": {}})["metrics"].items()
    }
    samples.finish(run, state=state, exit_code=codes[state], metrics=measured)
    return run


@cache
def _resolved(overrides: tuple[str, ...], root: Path) -> dict[str, Any]:
    """A configuration in plain values; Hydra takes a tenth of a second for each."""
    return compose([*OVERRIDES, *overrides], root).resolved


def calibration(sha256: str | None) -> Calibration:
    change = Change(before=1.0, after=0.9)
    fitted = FittedOn(split="val", n=80, groups=80)
    return Calibration(
        temperature=1.2, fitted_on=fitted, nll=change, ece=change, method="newton", checkpoint_sha256=sha256
    )


def a_cross_validation(
    runs: Path, name: str = "cv", *, folds: int = 2, skill: float = 1.0
) -> CrossValidationDir:
    """One whose folds judged the images of `predictions()` between them, one seed."""
    place = CrossValidationDir.create(runs, name)
    whole = predictions(skill=skill, seed=7)
    members = []
    for fold in range(folds):
        table = whole.at(np.arange(fold, len(whole.label), folds))
        run = a_run(
            runs,
            name,
            tables={"val": table},
            overrides=("data.split=kfold", f"data.fold={fold}"),
            dataset=dataset(split="kfold", fold=fold),
            origin=Origin(parent=place.id),
        )
        members.append(Fold(fold=fold, seed=1, run_id=run.id, state="finished", exit_code=0, seconds=3.0))
    CrossValidation(
        id=place.id,
        name=name,
        created=samples.BEGIN,
        command="scripts/inv cross-validate",
        overrides=(),
        config_sha256=samples.HASH,
        dataset="phantom",
        catalog_sha256=samples.HASH,
        split_sha256=samples.HASH,
        folds=folds,
        seeds=(1,),
        members=tuple(members),
        ended=samples.END,
    ).write(place.record)
    whole.write(place.predictions)
    summary = metrics.summarise(whole, "oof", resamples=200)
    files.write_json(place.metrics, {"schema_version": 1, "splits": {"oof": summary}})
    calibration(None).write(place.calibration)
    files.write_json(place.ensemble, {"members": []})
    return place


def answers(*runs: RunDir, name: str = "net", split: str = "val") -> Answers:
    """The answers of runs as one experiment."""
    return read(Subject(name, name, "name", tuple(runs)), split)


def refusal(action: Callable[[], object], kind: type[Exception]) -> str:
    """All that an action is refused with."""
    try:
        action()
    except kind as error:
        problems = getattr(error, "problems", ())
        return "\n".join((*problems, getattr(error, "hint", "")))
    raise AssertionError("not refused")
