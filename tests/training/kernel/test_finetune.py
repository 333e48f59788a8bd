"""What is frozen does not move at all, what is not learns, and a resume in any phase changes nothing."""

import signal
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from ctexp.config.schema.network import FinetuneSettings
from ctexp.core.errors import UsageError
from ctexp.models.build import build
from ctexp.models.depth import Depth
from ctexp.models.weights import WeightsOrigin
from ctexp.training.kernel.finetune import Finetuning
from ctexp.training.kernel.module import Classifier
from tests.training import tiny
from tests.training.kernel.test_resume import check

FULL: dict[str, Any] = {"head_epochs": 0.0, "stage_epochs": 0.0, "frozen_stages": 0, "layer_decay": 1.0}
STAGES = 4  # of the tiny network, before its head
GRADUAL = {"head_epochs": 0.5, "stage_epochs": 0.5, "layer_decay": 0.5}  # a stage every two steps


def network(**options: Any) -> nn.Module:
    torch.manual_seed(0)
    chosen = {"in_channels": 1, "image_size": 16, "num_classes": 4, "dropout": 0.5, **options}
    return build("tiny_cnn", WeightsOrigin("random"), **chosen)


def finetuning(model: nn.Module, steps: int = 4, **changes: Any) -> Finetuning:
    return Finetuning(model, FinetuneSettings(**{**FULL, **changes}), steps)


def learning(model: nn.Module) -> set[int]:
    """The stages whose parameters learn, all of a stage or none."""
    stages = Depth.of(model).stages
    return {stages[name] for name, parameter in model.named_parameters() if parameter.requires_grad}


def first_stages(changes: dict[str, Any], steps: int) -> list[int]:
    """The first stage that learns at each step; all after it do."""
    model = network()
    tuning = finetuning(model, **changes)
    firsts = []
    for step in range(steps):
        tuning.apply(step)
        assert learning(model) == set(range(min(learning(model)), STAGES + 1))
        firsts.append(min(learning(model)))
    return firsts


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, [0, 0, 0, 0, 0, 0, 0, 0]),
        ({"head_epochs": 1.0}, [4, 4, 4, 4, 0, 0, 0, 0]),
        ({"head_epochs": 0.5, "stage_epochs": 0.25}, [4, 4, 3, 2, 1, 0, 0, 0]),
        ({"stage_epochs": 0.5}, [3, 3, 2, 2, 1, 1, 0, 0]),
        ({"head_epochs": 0.5, "stage_epochs": 0.25, "frozen_stages": 2}, [4, 4, 3, 2, 2, 2, 2, 2]),
        ({"frozen_stages": 1}, [1, 1, 1, 1, 1, 1, 1, 1]),
        ({"frozen_stages": 100}, [4, 4, 4, 4, 4, 4, 4, 4]),
    ],
)
def test_stages_begin_when_they_should(changes: dict[str, Any], expected: list[int]) -> None:
    assert first_stages(changes, 8) == expected


WALKED, JUMPED = network(), network()


@given(
    head=st.floats(0, 3),
    stage=st.floats(0, 2),
    frozen=st.integers(0, 100),
    steps=st.lists(st.integers(0, 60), min_size=1, max_size=5),
)
def test_it_follows_from_the_step_alone_and_something_always_learns(
    head: float, stage: float, frozen: int, steps: list[int]
) -> None:
    changes: dict[str, Any] = {"head_epochs": head, "stage_epochs": stage, "frozen_stages": frozen}
    walking = finetuning(WALKED.requires_grad_(True), **changes)
    for step in sorted(steps):
        walking.apply(step)
        finetuning(JUMPED.requires_grad_(True), **changes).apply(step)
        assert learning(WALKED) == learning(JUMPED)
        assert STAGES in learning(WALKED)


@pytest.mark.parametrize("fusion", ["none", "gated"])
@pytest.mark.parametrize("attention", ["none", "cbam"])
def test_earlier_stages_learn_more_slowly(fusion: str, attention: str) -> None:
    model = network(fusion=fusion, attention=attention, num_features=3)
    rates = finetuning(model, layer_decay=0.5).rates()

    stages = Depth.of(model).stages
    assert rates.keys() == dict(model.named_parameters()).keys()
    assert {stages[name]: rate for name, rate in rates.items()} == {
        0: 1 / 16,
        1: 1 / 8,
        2: 1 / 4,
        3: 1 / 2,
        4: 1,
    }
    assert set(finetuning(model).rates().values()) == {1.0}


class Watch(tiny.Quiet):
    """Looks at every step: what has changed in it, which gradients there were, and the optimizer's memory."""

    def __init__(self) -> None:
        super().__init__()
        self.moved: list[set[str]] = []
        self.with_gradient: list[set[str]] = []
        self.remembered: list[set[str]] = []
        self._before: dict[str, Tensor] = {}

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: object, batch_idx: int
    ) -> None:
        del trainer, batch, batch_idx
        assert isinstance(pl_module, Classifier)
        self._before = {name: value.clone() for name, value in pl_module.model.state_dict().items()}

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        del outputs, batch, batch_idx
        assert isinstance(pl_module, Classifier)
        model = pl_module.model
        after = model.state_dict()
        self.moved.append(
            {name for name, value in self._before.items() if not torch.equal(value, after[name])}
        )
        self.with_gradient.append({name for name, p in model.named_parameters() if p.grad is not None})
        state = trainer.optimizers[0].state
        self.remembered.append({name for name, p in model.named_parameters() if p in state})


def of_stages(model: nn.Module, first: int) -> set[str]:
    """Parameters and buffers of a stage and all after it; a buffer lies beside its layer's parameters."""
    stages = Depth.of(model).stages
    layers = {name.rpartition(".")[0]: stage for name, stage in stages.items()}
    return {name for name in model.state_dict() if layers[name.rpartition(".")[0]] >= first}


@pytest.mark.parametrize("optimizer", ["adamw", "lion", "sgd"])
@pytest.mark.parametrize("attention", ["none", "se"])
def test_what_is_frozen_does_not_move_and_the_rest_does(
    tmp_path: Path, optimizer: str, attention: str
) -> None:
    watch, model = Watch(), network(attention=attention, dropout=0.0)
    chosen: dict[str, dict[str, Any]] = {
        "adamw": tiny.SETTINGS["optimizer"],
        "lion": {**tiny.SETTINGS["optimizer"], "name": "lion"},
        "sgd": {"name": "sgd", "lr": 0.01, "weight_decay": 0.05, "momentum": 0.9, "nesterov": True},
    }
    config = tiny.settings(finetune=GRADUAL, optimizer=chosen[optimizer], model={"dropout": 0.0})

    tiny.train(tmp_path, config, model=model, report=watch)

    assert len(watch.moved) == tiny.STEPS * tiny.EPOCHS
    parameters = dict(model.named_parameters()).keys()
    for step, moved in enumerate(watch.moved):
        should = of_stages(model, max(0, STAGES - step // 2))
        assert moved <= should, f"step {step}: frozen weights or statistics moved"
        # Attention's first layers get a gradient when its last ones have left zero.
        assert {name for name in should - moved if ".attention." not in name} == set(), f"step {step}"
        assert watch.with_gradient[step] == watch.remembered[step] == should & parameters, f"step {step}"


def test_layer_decay_and_the_schedule_both_set_the_rate(tmp_path: Path) -> None:
    rates: dict[float, list[float]] = {}

    class Rates(tiny.Quiet):
        def on_before_optimizer_step(
            self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: torch.optim.Optimizer
        ) -> None:
            del trainer, pl_module
            for group in optimizer.param_groups:
                rates.setdefault(group["rate"], []).append(group["lr"])

    report = Rates()
    tiny.train(
        tmp_path, tiny.settings(finetune={"layer_decay": 0.5}, trainer={"max_epochs": 2}), report=report
    )

    assert set(rates) == {1.0, 0.5, 0.25, 0.125, 0.0625}
    of_head = rates[1.0][::2]  # which has a group with decay and one without
    for share, of_group in rates.items():
        assert of_group[::2] == pytest.approx([share * rate for rate in of_head])
    # History tells the rate of the head at the end of each epoch.
    assert [row["learning_rate"] for row in report.rows] == of_head[tiny.STEPS - 1 :: tiny.STEPS]


def test_frozen_stages_answer_as_in_evaluation_and_come_back_to_training() -> None:
    model = network().train()
    tuning = finetuning(model, head_epochs=1.0)
    tuning.apply(0)
    assert not any(part.training for part in model.get_submodule("features").modules())
    assert model.training
    assert model.get_submodule("dropout").training

    model.train()  # as Lightning does when it pleases
    tuning.apply(1)
    assert not any(part.training for part in model.get_submodule("features").modules())
    tuning.apply(4)
    assert all(part.training for part in model.modules())


def test_a_parameter_that_never_learns_is_left_alone() -> None:
    model = network()
    fixed = model.get_parameter("features.3.0.weight")
    fixed.requires_grad = False
    tuning = finetuning(model, head_epochs=1.0)

    for step in (0, 4):
        tuning.apply(step)
        assert not fixed.requires_grad


def test_a_network_that_does_not_tell_its_stages_can_only_learn_whole() -> None:
    Finetuning(nn.Linear(2, 2), FinetuneSettings(**FULL), 4).apply(0)
    with pytest.raises(UsageError, match="Linear does not tell its stages") as caught:
        finetuning(nn.Linear(2, 2), head_epochs=1.0)
    assert caught.value.hint == "use finetune=full"


def test_a_stop_in_every_phase_resumes_exactly(tmp_path: Path) -> None:
    check(tmp_path, [1, 3, 6], signal.SIGTERM, finetune=GRADUAL)


@pytest.mark.slow
def test_a_stop_at_every_step_resumes_exactly(tmp_path: Path) -> None:
    every = list(range(tiny.STEPS * tiny.EPOCHS))
    check(tmp_path, every, signal.SIGTERM, finetune=GRADUAL, averaging={"name": "ema", "decay": 0.5})


def test_averaged_copies_take_the_frozen_weights_as_they_are(tmp_path: Path) -> None:
    model = network()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    config = tiny.settings(finetune={"frozen_stages": 2}, averaging={"name": "ema", "decay": 0.5})

    module = tiny.train(tmp_path, config, model=model)

    averaged, frozen = module.network.state_dict(), model.state_dict().keys() - of_stages(model, 2)
    assert frozen
    assert module.network is not model
    for name, value in before.items():
        assert torch.equal(averaged[name], value) == (name in frozen), name
