"""Trainings in this process, as the command line starts them, with faults at a step of the test's choice."""

from pathlib import Path
from typing import Any

import pytest
from invoke.exceptions import Exit
from torch import Tensor

from ctexp.cli.verb import perform
from ctexp.record.find import run_paths
from ctexp.record.run_dir import RunDir
from ctexp.training.kernel.module import Classifier

FLAGS = {"resume": None, "cfg": False, "dry_run": False, "yes": False, "json": False}


def train(*words: str, resume: str | None = None) -> tuple[int, RunDir]:
    """The exit code, and the newest run; that of `resume` where one is resumed."""
    code = 0
    try:
        flags = {"override": list(words), **FLAGS, "resume": resume}
        perform("train:train", flags, debug=False)
    except Exit as end:
        code = int(end.code)
    runs = sorted((RunDir(path) for path in run_paths(Path("runs"))), key=_age)
    return code, next((run for run in runs if run.id == resume), runs[-1])


def _age(run: RunDir) -> int:
    return (run.path / "overrides.yaml").stat().st_mtime_ns


def at_step(monkeypatch: pytest.MonkeyPatch, step: int, act: Any) -> None:
    """Let `act(losses)` decide the losses of one step."""
    original = Classifier.losses

    def losses(self: Classifier, logits: Tensor, batch: Any) -> Tensor:
        found = original(self, logits, batch)
        changed: Tensor = act(found) if self.global_step == step else found
        return changed

    monkeypatch.setattr(Classifier, "losses", losses)
