"""A training on two devices is the training on one: here two processes on the processor."""

import shutil
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from torch import nn

from ctexp.config.schema import Settings
from ctexp.core.errors import DataError, ProcessLost, Stopped
from ctexp.data.batches import EvalBatches, TrainBatches
from ctexp.training.kernel.checkpoints import newest
from ctexp.training.kernel.epochs import Row
from ctexp.training.kernel.module import Classifier
from tests.training import tiny
from tests.training.kernel.test_module import plain_network
from tests.training.kernel.test_resume import AVERAGES, SCHEDULERS, SignalAtStep, measured

CPU = torch.device("cpu")

PLAIN_STEPS = {"name": "sgd", "lr": 0.05, "weight_decay": 0.01, "momentum": 0.9, "nesterov": False}
"""Not an optimizer that divides by the gradient's size: it makes much of differences in the last bit."""


@pytest.fixture
def in_64_bits() -> Iterator[None]:
    """Numbers in which rounding, multiplied by every step, still comes to nothing."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def in_64_bits_too(config: Settings, device: torch.device) -> tuple[TrainBatches, EvalBatches]:
    """The tiny batches, opened by a helper, whose numbers are as long as its leader's."""
    torch.set_default_dtype(torch.float64)
    return tiny.both_batches(22, config, device)


def trained(
    folder: Path,
    config: Settings,
    processes: int,
    *,
    model: nn.Module | None = None,
    opened: tiny.Opened | None = None,
) -> tuple[Classifier, list[Row]]:
    report = tiny.Quiet()
    module = tiny.train(folder, config, report=report, model=model, processes=processes, opened=opened)
    return module, report.rows


def check_equal(one: tuple[Classifier, list[Row]], two: tuple[Classifier, list[Row]], within: float) -> None:
    """The same weights, averages and statistics, and the same history."""
    weights = two[0].state_dict()
    for name, value in one[0].state_dict().items():
        torch.testing.assert_close(weights[name], value, rtol=within, atol=within, msg=name)
    assert [row.keys() for row in two[1]] == [row.keys() for row in one[1]]
    for row, expected in zip(measured(two[1]), measured(one[1]), strict=True):
        undefined = [name for name, value in expected.items() if value is None]
        assert [name for name, value in row.items() if value is None] == undefined
        for name in expected.keys() - set(undefined):
            assert row[name] == pytest.approx(expected[name], rel=within, abs=within), name


@pytest.mark.slow
@pytest.mark.usefixtures("in_64_bits")
def test_two_processes_train_as_one(tmp_path: Path) -> None:
    """With batch normalisation, mixing, clipping, an average, and steps of six images and of five."""
    config = tiny.settings(
        model={"dropout": 0.0},
        augment={"mixup": 0.4, "cutmix": 1.0},
        averaging=AVERAGES["ema"],
        trainer={"gradient_clip": 1.0, "max_epochs": 2},
    )
    opened = partial(in_64_bits_too, config)
    one, two = (trained(tmp_path / f"{count}", config, count, opened=opened) for count in (1, 2))
    check_equal(one, two, within=1e-6)


RECIPES: dict[str, dict[str, dict[str, Any]]] = {
    # what looks at the whole step, what depends on the epoch's end, and what changes while it trains
    "pairs": {"loss": {"name": "pairwise_confusion", "confusion": 0.5, "label_smoothing": 0.0}},
    "plateau": {"scheduler": SCHEDULERS["plateau"], "averaging": AVERAGES["swa"]},
    "unfreezing": {
        "finetune": {"head_epochs": 1.0, "stage_epochs": 0.0},
        "sampler": {"name": "class_balanced"},
    },
}


@pytest.mark.slow
@pytest.mark.usefixtures("in_64_bits")
@pytest.mark.parametrize("recipe", RECIPES)
def test_so_do_they_with_other_recipes(tmp_path: Path, recipe: str) -> None:
    config = tiny.settings(model={"dropout": 0.0}, **RECIPES[recipe])
    opened = partial(in_64_bits_too, config)
    one, two = (trained(tmp_path / f"{count}", config, count, opened=opened) for count in (1, 2))
    check_equal(one, two, within=1e-6)


@pytest.mark.slow
def test_in_32_bits_they_differ_by_rounding(tmp_path: Path) -> None:
    """Three processes, whose shares of the two parts of a step are of two images and of one."""
    config = tiny.settings(
        data={"batch_size": 5}, trainer={"accumulate_grad_batches": 2}, optimizer=PLAIN_STEPS
    )
    one, three = (trained(tmp_path / f"{n}", config, n, model=plain_network()) for n in (1, 3))
    check_equal(one, three, within=1e-4)


@pytest.mark.slow
def test_a_stop_is_resumed_by_any_number_of_processes(tmp_path: Path) -> None:
    """Exactly by as many, dropout included: the same signal, the same step, the same bits."""
    config = tiny.settings()
    whole = tiny.train(tmp_path / "whole", config, processes=2)
    with pytest.raises(Stopped):
        tiny.train(tmp_path / "two", config, report=SignalAtStep(5, signal.SIGTERM), processes=2)
    shutil.copytree(tmp_path / "two", tmp_path / "one")
    assert tiny.fingerprint(tmp_path / "two", go_on(tmp_path / "two", 2)) == tiny.fingerprint(
        tmp_path / "whole", whole
    )
    alone = tiny.Quiet()
    go_on(tmp_path / "one", 1, alone)
    assert [row["epoch"] for row in alone.rows] == [2, 3]


def go_on(folder: Path, processes: int, report: tiny.Quiet | None = None) -> Classifier:
    found = newest(folder / "checkpoints")
    assert found is not None
    return tiny.train(folder, tiny.settings(), report=report, resume=found.path, processes=processes)


class KillsAHelper(tiny.Quiet):
    """Kills the other process when a step begins."""

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: object, batch_idx: int) -> None:
        del pl_module, batch, batch_idx
        if trainer.global_step == 5:
            (helper,) = helpers(psutil.Process())
            helper.kill()


def helpers(process: psutil.Process) -> list[psutil.Process]:
    """Those that help with a training of this process."""
    return [child for child in process.children() if "spawn_main" in " ".join(child.cmdline())]


@pytest.mark.slow
def test_a_helper_that_is_killed_ends_the_training_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(ProcessLost, match="process 2 of 2 of this training was killed by SIGKILL") as caught:
        tiny.train(tmp_path, report=KillsAHelper(), processes=2)
    assert caught.value.exit_code == 1
    found = newest(tmp_path / "checkpoints")
    assert found is not None
    assert found.step == tiny.STEPS


class Exhausted:
    """Batches for whose third there is no memory."""

    def __init__(self, batches: TrainBatches, error: Exception) -> None:
        self._batches = batches
        self._error = error

    def __iter__(self) -> Iterator[Any]:
        for number, batch in enumerate(self._batches):
            if number == 2:
                raise self._error
            yield batch

    def __len__(self) -> int:
        return len(self._batches)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batches, name)


def failing(config: Settings, error: Exception, device: torch.device) -> Any:
    train, val = tiny.both_batches(22, config, device)
    return Exhausted(train, error), val


@pytest.mark.slow
@pytest.mark.parametrize(
    ("error", "raised", "said"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), torch.OutOfMemoryError, "CUDA out of memory"),
        (DataError("a file is damaged", "import it anew"), DataError, "a file is damaged"),
        (LookupError("of our own"), RuntimeError, "LookupError: of our own"),
    ],
    ids=["memory", "data", "bug"],
)
def test_what_a_helper_meets_is_raised_where_the_record_is(
    tmp_path: Path, error: Exception, raised: type[Exception], said: str
) -> None:
    config = tiny.settings()
    with pytest.raises(raised, match=said) as caught:
        tiny.train(tmp_path, config, processes=2, opened=partial(failing, config, error))
    assert "in process 2 of 2" in caught.value.__notes__[0]
    assert helpers(psutil.Process()) == []
