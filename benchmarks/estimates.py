"""How good estimates are: varied trainings on the CPU, each predicted before it begins and timed at its end.

    .venv/bin/python -m benchmarks.estimates

Twenty trainings on the synthetic set, in a project of their own, one after the other: networks, image sizes,
batches, accumulation, augmentation, averages and epochs differ. Nothing is tuned between them: a run is
predicted from a few steps of its own, or from like runs as soon as there are enough, and the factor from
median to p90 is the stated one until nine runs are on record. Prints each prediction with its outcome, then
the share that the p90 covered (0.9 is promised; twenty runs tell it to about 0.13) and the median ratio.
"""

import contextlib
import io
import math
import os
import tempfile
import time
from pathlib import Path
from statistics import median

import torch

from benchmarks.aims import told
from ctexp.cli.data import make_phantom
from ctexp.cli.train import train
from ctexp.planning.estimates import accuracy
from ctexp.planning.past import Past
from ctexp.record.find import find
from tests.project import make_project

ALWAYS = (
    "data=phantom",
    "model.pretrained=false",
    "trainer.accelerator=cpu",
    "trainer.early_stopping=null",
    "scheduler.warmup_epochs=0.0",
    "logger=none",
    "git.dirty=warn",
)
TINY, RESNET, EFFICIENT = "model=tiny_cnn", "model=resnet18", "model=efficientnet_b0"
RUNS: tuple[tuple[str, ...], ...] = (
    (TINY, "data.image_size=32", "trainer.max_epochs=10"),
    (TINY, "data.image_size=64", "trainer.max_epochs=8", "data.batch_size=16"),
    (TINY, "data.image_size=96", "trainer.max_epochs=4", "augment=strong"),
    (TINY, "data.image_size=96", "trainer.max_epochs=3", "augment=none", "data.batch_size=8"),
    (TINY, "data.image_size=64", "trainer.max_epochs=6", "averaging=ema"),
    (RESNET, "data.image_size=32", "trainer.max_epochs=3"),
    (RESNET, "data.image_size=64", "trainer.max_epochs=1", "data.batch_size=16"),
    (RESNET, "data.image_size=96", "trainer.max_epochs=1"),
    (RESNET, "data.image_size=64", "trainer.max_epochs=2", "trainer.accumulate_grad_batches=2"),
    (RESNET, "data.image_size=32", "trainer.max_epochs=4", "augment=flip_rotate", "data.batch_size=64"),
    (EFFICIENT, "data.image_size=32", "trainer.max_epochs=2"),
    (EFFICIENT, "data.image_size=64", "trainer.max_epochs=1"),
    (EFFICIENT, "data.image_size=96", "trainer.max_epochs=1", "data.batch_size=16"),
    (EFFICIENT, "data.image_size=32", "trainer.max_epochs=2", "inference=tta", "averaging=ema"),
    (TINY, "data.image_size=64", "trainer.max_epochs=12", "optimizer=sgd", "optimizer.lr=0.01"),
    (TINY, "data.image_size=32", "trainer.max_epochs=15", "sampler=class_balanced"),
    (RESNET, "data.image_size=64", "trainer.max_epochs=2", "finetune=head_first"),
    (RESNET, "data.image_size=32", "trainer.max_epochs=3", "augment.mixup=0.4"),
    (TINY, "data.image_size=96", "trainer.max_epochs=5", "augment=standard"),
    (TINY, "data.image_size=32", "trainer.max_epochs=20"),
)


def run(words: tuple[str, ...]) -> None:
    """One training, its output kept to itself."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
        code = train([*ALWAYS, *words], cfg=False, dry_run=False, resume=None, yes=True, json=False)
    if code:
        raise SystemExit(f"{' '.join(words)}: exit {code}\n{said.getvalue()}")


def main() -> None:
    """Train all of them and print."""
    torch.set_num_threads(1)  # where others compute too, two threads wait for each other
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} at the beginning", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        project = make_project(Path(folder) / "project")
        with contextlib.redirect_stderr(io.StringIO()):
            make_phantom(project / "data", "phantom", seed=42)
        with contextlib.chdir(project):
            past = _all(project)
    found = accuracy(past)
    ratios = sorted(r.seconds / r.estimate.seconds for r in past.runs if r.estimate)
    logs = [abs(math.log(ratio)) for ratio in ratios]
    minutes = (time.monotonic() - began) / 60
    print(
        f"{found.runs} runs in {minutes:.1f} min, load average {os.getloadavg()[0]:.1f} at the end\n"
        f"p90 coverage {found.p90_coverage:.0%}; outcome / p50: median {found.median_ratio:.2f}, "
        f"{ratios[0]:.2f} to {ratios[-1]:.2f}; typical error {math.exp(median(logs)) - 1:.0%}"
    )
    told("trainings that ended within their p90", 100 * (found.p90_coverage or 0), "%", 80, "at least")


def _all(project: Path) -> Past:
    runs = project / "runs"
    for words in RUNS:
        run(words)
        _, manifest, result, _ = find(runs, "latest").read()
        assert manifest is not None  # noqa: S101 - for the type checker
        assert manifest.estimate is not None  # noqa: S101
        assert result is not None  # noqa: S101
        expected, took = manifest.estimate, result.duration_seconds
        bound = expected.seconds_p90 or math.inf
        figures = f"{expected.seconds:6.1f} s, p90 {bound:6.1f} s, took {took:6.1f} s"
        ratio = f"{took / expected.seconds:5.2f}{' ' if took <= bound else '!'}"
        print(f"{figures} {ratio} {' '.join(words)} ({expected.basis})", flush=True)
    return Past.load(runs)


if __name__ == "__main__":
    main()
