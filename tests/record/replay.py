"""Writes a run's record again and again, dying before the first change to a file, the second, and so on.

`python -m tests.record.replay FOLDER` leaves one folder of runs for each number of changes made, and prints
how many there are; the last one is whole.
"""

import os
import sys
from pathlib import Path
from typing import Any

from ctexp.core import files
from ctexp.record import writing
from ctexp.record.events import EventLog
from ctexp.record.history import History
from ctexp.record.run_dir import RunDir
from ctexp.record.run_log import RunLog
from tests.record import samples

PATCH = b"diff --git a/a.py b/a.py\n"
PACKAGES = "numpy==2.1.0\n"
GIT = samples.GIT.model_copy(update={"patch_sha256": files.sha256_bytes(PATCH)})
ENVIRONMENT = samples.ENVIRONMENT.model_copy(
    update={"packages_sha256": files.sha256_bytes(PACKAGES.encode())}
)
ARTIFACTS = ("checkpoints/last.ckpt", "predictions_val.parquet", "metrics.json", "figures/curves.png")


def write_a_life(runs: Path) -> None:
    """A run that used up its time, was resumed, and finished."""
    run = RunDir.create(runs, "resnet50")
    with run.lock():
        writing.begin(
            run,
            config_yaml="seed: 42\n",
            overrides=("model=resnet50",),
            patch=PATCH,
            packages=PACKAGES,
            manifest=samples.manifest(run.id, git=GIT, environment=ENVIRONMENT),
            attempt=samples.attempt(run.id, git=GIT, environment=ENVIRONMENT),
        )
        train(run, epoch=0)
        close(run, 1, "timeout", 124)
    with run.lock():
        number = writing.next_attempt(run)
        writing.resume(run, samples.attempt(run.id, number, git=GIT), PATCH)
        train(run, epoch=1)
        close(run, number, "finished", 0)


def train(run: RunDir, epoch: int) -> None:
    """What an epoch and an evaluation leave."""
    with RunLog(run.train_log) as log:
        log.note(f"epoch {epoch}")
        EventLog(run.events).write("epoch", epoch=epoch)
        files.write_bytes(run.checkpoints / "last.ckpt", b"weights")
        History(run.history).append({"epoch": epoch, "train/loss": 0.5})
        files.write_bytes(run.predictions("val"), b"logits")
        files.write_json(run.metrics, {"schema_version": 1, "splits": {}})
        files.write_bytes(run.figures / "curves.png", b"curves")


def close(run: RunDir, number: int, state: str, exit_code: int) -> None:
    """The end of an attempt."""
    attempt = samples.ended(samples.attempt(run.id, number), state, exit_code)
    outcome = samples.result(run.id, state=state, exit_code=exit_code, attempt=number, artifacts=ARTIFACTS)
    writing.end(run, attempt=attempt, result=outcome, summary="the blocks\n")


class DyingAt:
    """An audit hook: the process is gone before its n-th change to a file."""

    def __init__(self, n: int) -> None:
        self.left = n

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        changes = event in {"os.mkdir", "os.rename", "os.remove", "os.truncate", "os.chmod"}
        if changes or (event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR)):
            self.left -= 1
            if self.left < 0:
                os._exit(9)


def main(folder: Path) -> int:
    """Die at every change; returns how many changes the whole life has."""
    done = 0
    while True:
        (folder / str(done)).mkdir(parents=True)
        child = os.fork()
        if child == 0:
            sys.addaudithook(DyingAt(done))
            write_a_life(folder / str(done))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        match os.waitstatus_to_exitcode(status):
            case 0:
                return done
            case 9:
                done += 1
            case other:
                raise SystemExit(f"exit {other} after {done} changes")


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
