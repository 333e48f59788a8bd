"""What is said of configurations that are valid and unwise."""

import subprocess
import sys
from pathlib import Path

import pytest

from ctexp.config import groups
from ctexp.config.advice import advice
from ctexp.config.compose import compose

RANDOM = "model.pretrained=false"


def lines(project: Path, *overrides: str) -> list[str]:
    return advice(compose(overrides, project).settings)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["sampler=class_balanced", "loss.class_weights=balanced"], "loss.class_weights=balanced"),
        (
            ["sampler=class_balanced", "loss=focal", "loss.class_weights=balanced"],
            "loss.class_weights=balanced",
        ),
        (["sampler=class_balanced", "loss=class_balanced"], "loss=class_balanced"),
        (["sampler=class_balanced", "loss=balanced_softmax"], "loss=balanced_softmax"),
        ([RANDOM, "finetune=frozen"], "finetune.frozen_stages=100"),
        ([RANDOM, "finetune.head_epochs=1.0"], "finetune"),
        ([RANDOM, "finetune.layer_decay=0.75"], "finetune"),
        (["finetune.head_epochs=3.0", "trainer.max_epochs=3"], "finetune.head_epochs=3"),
        (["optimizer=lion", "optimizer.lr=1e-3"], "optimizer.lr=0.001"),
        (["scheduler=step", "scheduler.step_epochs=30"], "scheduler.step_epochs=30"),
        (["scheduler=plateau", "scheduler.patience=9"], "scheduler.patience=9"),
        (
            ["scheduler=plateau", "trainer.early_stopping=null", "trainer.max_epochs=5"],
            "scheduler.patience=3",
        ),
        (["averaging=swa", "trainer.max_epochs=4"], "averaging.start=0.75"),
        (
            ["averaging=swa", "averaging.start=0.1", "scheduler.warmup_epochs=4.0"],
            "scheduler.warmup_epochs=4",
        ),
    ],
)
def test_one_line_names_what_is_unwise(shipped: Path, overrides: list[str], said: str) -> None:
    (line,) = lines(shipped, *overrides)
    assert said in line
    assert "\n" not in line


@pytest.mark.parametrize(
    "overrides",
    [
        ["sampler=class_balanced"],
        ["sampler=class_balanced", "loss=focal"],
        ["sampler=class_balanced", "loss=pairwise_confusion"],
        ["loss.class_weights=balanced"],
        ["finetune=frozen"],
        ["scheduler=plateau", "scheduler.patience=8"],
        ["scheduler=plateau", "trainer.early_stopping=null", "trainer.max_epochs=6"],
        ["averaging=swa", "trainer.max_epochs=5", "averaging.start=0.6"],
    ],
)
def test_nothing_is_said_of_what_is_fine(shipped: Path, overrides: list[str]) -> None:
    assert lines(shipped, *overrides) == []


@pytest.mark.parametrize(
    "choice",
    [
        f"{group}={name}"
        for group in ("sampler", "augment", "loss", "optimizer", "scheduler", "averaging")
        for name in groups.choices(group, Path("conf"))
    ],
)
def test_every_shipped_choice_is_fine_by_itself(shipped: Path, choice: str) -> None:
    assert lines(shipped, choice) == []


def test_advice_is_given_without_torch() -> None:
    code = "import sys, ctexp.config.advice; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
