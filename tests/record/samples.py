"""Records to test with: whole, valid, and easy to vary."""

from pathlib import Path
from typing import Any

from ctexp.record import writing
from ctexp.record.environment import Environment, Gpu
from ctexp.record.git import GitState
from ctexp.record.manifest import Attempt, Dataset, Estimate, Manifest, Model, Tracker, Weights
from ctexp.record.result import Measurement, Result
from ctexp.record.run_dir import RunDir

HASH = "0123456789abcdef" * 4
COMMIT = "56db7205ea852693d09d7f05e4df45d64edfabc2"
BEGIN = "2026-11-21T05:04:17.123Z"
END = "2026-11-21T05:16:22.456Z"

ENVIRONMENT = Environment(
    python="3.11.7",
    os="Debian GNU/Linux 12 (bookworm)",
    platform="Linux-6.1.0-x86_64-with-glibc2.36",
    cpu="AMD Ryzen 9 7950X 16-Core Processor",
    cores=32,
    cores_allowed=32,
    memory_bytes=64 * 1024**3,
    packages=2,
    packages_sha256=HASH,
    gpus=(Gpu(index=0, name="NVIDIA GeForce RTX 4090", uuid="GPU-1", memory_bytes=24 * 1024**3),),
    gpu_problem=None,
    driver="595.10",
    cuda="13.1",
    variables={"CUDA_VISIBLE_DEVICES": "0"},
)

GIT = GitState(
    commit=COMMIT,
    branch="main",
    dirty=True,
    changed=("src/ctexp/training/fit.py",),
    untracked=("conf/model/mine.yaml",),
    patch="git.diff",
    patch_sha256=HASH,
)

TRACKER = Tracker(kind="wandb", run_id="resnet50_20261121-050417_ab2cd3-1", mode="offline")


def manifest(run_id: str, **changes: Any) -> Manifest:
    fields: dict[str, Any] = {
        "run_id": run_id,
        "name": "resnet50",
        "description": "the baseline",
        "tags": ("baseline", "night-1"),
        "created": BEGIN,
        "argv": ("inv", "train", "model=resnet50"),
        "command": "scripts/inv train model=resnet50",
        "git": GIT,
        "seed": 42,
        "overrides": ("model=resnet50",),
        "config_sha256": HASH,
        "dataset": Dataset(
            name="chest_ct",
            catalog_sha256=HASH,
            split="official",
            rows={
                "train": {"adenocarcinoma": 195, "normal": 148},
                "val": {"adenocarcinoma": 23, "normal": 13},
            },
        ),
        "environment": ENVIRONMENT,
        "preprocessing": {"image_size": 224, "resize": "pad", "mean": 0.449, "std": 0.226, "channels": 3},
        "model": Model(name="resnet50", parameters=23516228),
        "weights": Weights(source="timm/resnet50.a1_in1k", sha256=HASH),
        "hyperparameters": {"model": "resnet50", "optimizer.lr": 0.0001, "data.batch_size": 32},
        "tracker": TRACKER,
        "estimate": Estimate(seconds=725, basis="3 epochs measured"),
    }
    return Manifest(**fields | changes)


def attempt(run_id: str, number: int = 1, **changes: Any) -> Attempt:
    fields: dict[str, Any] = {
        "run_id": run_id,
        "number": number,
        "argv": ("inv", "train", "model=resnet50"),
        "git": GIT,
        "environment": ENVIRONMENT,
        "tracker": TRACKER,
        "begin": BEGIN,
    }
    return Attempt(**fields | changes)


def ended(attempt: Attempt, state: str = "finished", exit_code: int = 0) -> Attempt:
    end = {"end": END, "ended": state, "exit_code": exit_code, "duration_seconds": 725.333}
    return Attempt(**attempt.model_dump() | end)


def result(run_id: str, **changes: Any) -> Result:
    fields: dict[str, Any] = {
        "run_id": run_id,
        "state": "finished",
        "exit_code": 0,
        "attempt": 1,
        "started": BEGIN,
        "ended": END,
        "duration_seconds": 725.333,
        "epochs": 30,
        "metrics": {
            "val/accuracy": Measurement(value=0.9021, low=0.8642, high=0.9304),
            "val/macro_f1": Measurement(value=0.8874, low=0.8431, high=0.9188),
            "val/loss": Measurement(value=0.00042),
            "val/auroc": Measurement(value=None),
        },
        "artifacts": (
            "checkpoints/best.ckpt",
            "metrics.json",
            "predictions_val.parquet",
            "figures/curves.png",
        ),
    }
    return Result(**fields | changes)


def begun(run: RunDir, **changes: Any) -> RunDir:
    """Write what stands in a run directory before training."""
    writing.begin(
        run,
        config_yaml="seed: 42\n",
        overrides=("model=resnet50",),
        patch=b"diff --git a/a.py b/a.py\n",
        packages="numpy==2.1.0\ntorch==2.15.0\n",
        manifest=manifest(run.id, **changes),
        attempt=attempt(run.id),
    )
    return run


def run_of(runs: Path, name: str = "resnet50", state: str = "finished", **changes: Any) -> RunDir:
    """A whole run directory that ended in a given way; `changes` go to its manifest."""
    run = begun(RunDir.create(runs, name), name=name, **changes)
    codes = {
        "finished": 0,
        "interrupted": 143,
        "diverged": 11,
        "oom": 10,
        "timeout": 124,
        "pruned": 12,
        "failed": 3,
    }
    finish(run, state=state, exit_code=codes[state], failure="DataError" if state == "failed" else None)
    return run


def finish(run: RunDir, **changes: Any) -> None:
    """Write what stands in a run directory at its end."""
    outcome = result(run.id, **changes)
    last = ended(attempt(run.id, outcome.attempt), outcome.state, outcome.exit_code)
    writing.end(run, attempt=last, result=outcome, summary="the blocks\n")
