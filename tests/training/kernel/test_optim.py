"""Optimizers do what their papers say to the parameters they should; compiling changes speed alone."""

import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from ctexp.core.errors import PreflightError
from ctexp.models.build import build
from ctexp.models.weights import WeightsOrigin
from ctexp.record.checkpoint_files import BEST
from ctexp.training.kernel import compiling
from ctexp.training.kernel.checkpoints import load
from ctexp.training.kernel.finetune import Finetuning
from ctexp.training.kernel.optim import build_optimizer
from tests.training import tiny
from tests.training.kernel.test_resume import stopped_and_resumed

CPU = torch.device("cpu")
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "adamw": {"name": "adamw", "lr": 0.1, "weight_decay": 0.2, "beta1": 0.8, "beta2": 0.9},
    "lion": {"name": "lion", "lr": 0.1, "weight_decay": 0.2, "beta1": 0.8, "beta2": 0.9},
    "sgd": {"name": "sgd", "lr": 0.1, "weight_decay": 0.2, "momentum": 0.8, "nesterov": False},
}


def optimizer_of(model: nn.Module, name: str = "adamw", **finetune: Any) -> torch.optim.Optimizer:
    config = tiny.settings(optimizer=OPTIMIZERS[name], finetune=finetune)
    return build_optimizer(config, Finetuning(model, config.finetune, 4), CPU)


def network(name: str = "tiny_cnn", **options: Any) -> nn.Module:
    torch.manual_seed(0)
    chosen = {"in_channels": 1, "image_size": 32, "num_classes": 4, "dropout": 0.0, **options}
    return build(name, WeightsOrigin("random"), **chosen)


@pytest.mark.parametrize("fusion", ["none", "concat"])
@pytest.mark.parametrize("name", ["tiny_cnn", "resnet10t", "vit_tiny_patch16_224"])
def test_biases_normalisation_and_tables_of_positions_are_not_decayed(name: str, fusion: str) -> None:
    model = network(name, fusion=fusion, num_features=3)
    optimizer = optimizer_of(model, layer_decay=0.5)

    names = {parameter: key for key, parameter in model.named_parameters()}
    decayed = {
        names[parameter]: group["weight_decay"]
        for group in optimizer.param_groups
        for parameter in group["params"]
    }
    assert decayed.keys() == dict(model.named_parameters()).keys()
    assert sum(len(group["params"]) for group in optimizer.param_groups) == len(decayed)
    for key, decay in decayed.items():
        plain = model.get_parameter(key).ndim > 1 and not key.endswith(("cls_token", "pos_embed"))
        assert decay == (0.2 if plain else 0.0), key


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_two_steps_are_those_of_the_papers(name: str) -> None:
    model = nn.Linear(2, 1, bias=False)
    start, first, second = (
        torch.tensor([[1.0, -2.0]]),
        torch.tensor([[0.5, 3.0]]),
        torch.tensor([[-4.0, 1.0]]),
    )
    with torch.no_grad():
        model.weight.copy_(start)
    optimizer = optimizer_of(model, name)
    for gradient in (first, second):
        model.weight.grad = gradient.clone()
        optimizer.step()

    torch.testing.assert_close(model.weight.detach(), _by_hand(name, start, first, second))


def _by_hand(name: str, start: torch.Tensor, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    weight, momentum, square = start.clone(), torch.zeros_like(start), torch.zeros_like(start)
    for step, gradient in enumerate((first, second), start=1):
        if name == "sgd":
            decayed = gradient + 0.2 * weight
            momentum = decayed if step == 1 else 0.8 * momentum + decayed
            weight = weight - 0.1 * momentum
            continue
        weight = weight * (1 - 0.1 * 0.2)
        if name == "lion":
            weight = weight - 0.1 * (0.8 * momentum + 0.2 * gradient).sign()
            momentum = 0.9 * momentum + 0.1 * gradient
            continue
        momentum = 0.8 * momentum + 0.2 * gradient
        square = 0.9 * square + 0.1 * gradient**2
        weight = weight - 0.1 * (momentum / (1 - 0.8**step)) / ((square / (1 - 0.9**step)).sqrt() + 1e-8)
    return weight


@pytest.mark.parametrize("name", ["lion", "sgd"])
def test_its_memory_is_resumed_exactly(tmp_path: Path, name: str) -> None:
    config = tiny.settings(optimizer={**OPTIMIZERS[name], "lr": 0.003})
    whole = tiny.fingerprint(tmp_path / "whole", tiny.train(tmp_path / "whole", config))

    weights, _ = stopped_and_resumed(tmp_path / "parts", tiny.STEPS + 1, signal.SIGTERM, config)

    assert weights == whole


@pytest.mark.slow
def test_a_machine_that_cannot_compile_is_refused_before_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torch._inductor import config

    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    torch.compiler.reset()
    without = config.patch({"cpp.cxx": (None, str(tmp_path / "no-compiler"))})

    with without, pytest.raises(PreflightError) as caught:
        compiling.require_compiler(CPU)

    (line,) = caught.value.lines()
    assert line.startswith("PreflightError: trainer.compile=true: torch.compile does not work here (")
    assert line.endswith("-> install a C++ compiler such as g++, or set trainer.compile=false")


@pytest.mark.slow
def test_compiled_it_learns_the_same_and_is_saved_under_the_same_names(tmp_path: Path) -> None:
    compiling.require_compiler(CPU)
    # Adam would make a whole step of a gradient that differs in its last digit.
    common = {"finetune": {"head_epochs": 1.0}, "optimizer": {**OPTIMIZERS["sgd"], "lr": 0.01}}
    plain = tiny.settings(**common, trainer={"max_epochs": 2})
    compiled = tiny.settings(**common, trainer={"max_epochs": 2, "compile": True})

    expected = tiny.train(tmp_path / "plain", plain, model=network(image_size=16)).state_dict()
    torch._dynamo.utils.counters.clear()
    found = tiny.train(tmp_path / "compiled", compiled, model=network(image_size=16)).state_dict()

    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] > 1
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-3, atol=1e-4)
    best = load(tmp_path / "compiled" / "checkpoints" / BEST)["state_dict"]
    assert best.keys() == load(tmp_path / "plain" / "checkpoints" / BEST)["state_dict"].keys()
