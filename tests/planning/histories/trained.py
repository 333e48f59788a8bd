"""Real trainings of a second or two, in the order of a history."""

from pathlib import Path

import pytest
from invoke.exceptions import Exit

from ctexp.cli.verb import perform
from ctexp.record.find import run_paths
from ctexp.record.run_dir import RunDir
from tests.pictures import leave_blank
from tests.planning.histories.pictures import SIDE

SMALL = (
    "model=tiny_cnn",
    f"data.image_size={SIDE}",
    "data.batch_size=16",
    "optimizer.lr=3e-3",
    "trainer.accelerator=cpu",
    "trainer.early_stopping=null",
    "logger=none",
)
"""What every training of a history has in common, unless it says otherwise."""

_FLAGS = {"resume": None, "cfg": False, "dry_run": False, "yes": False, "json": False}


def train(project: Path, *words: str, code: int = 0) -> RunDir:
    """`inv train` with `SMALL` and these words, a later word for a key replacing an earlier one."""
    chosen = {word.partition("=")[0]: word for word in (*SMALL, *words)}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        leave_blank(patch)
        before = set(run_paths(project / "runs"))
        ended = 0
        try:
            perform("train:train", _FLAGS | {"override": list(chosen.values())}, debug=False)
        except Exit as exit_:
            ended = exit_.code
        assert ended == code
        (made,) = set(run_paths(project / "runs")) - before
    return RunDir(made)
