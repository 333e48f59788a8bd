"""What a step takes is measured, and what would fit follows from it."""

import math

import pytest
import torch

from ctexp.training.memory.exhaustion import hint
from ctexp.training.memory.measured import MemoryModel, measure_memory, trial_batch
from tests.training import tiny

GIB = 2**30
CPU = torch.device("cpu")


def test_a_line_through_two_measurements() -> None:
    model = MemoryModel.through((2, 1_400), (4, 1_800))
    assert model == MemoryModel(fixed_bytes=1_000, bytes_per_image=200)
    assert model.largest(2_000) == 5
    assert model.needed(5) == 2_000
    assert model.largest(900) == 0


@pytest.mark.parametrize(("optimizer", "states"), [("adamw", 2), ("lion", 1), ("sgd", 1)])
def test_weights_gradients_and_the_optimizers_state_are_fixed(optimizer: str, states: int) -> None:
    chosen = {
        "adamw": {"name": "adamw", "lr": 0.01, "weight_decay": 0.0, "beta1": 0.9, "beta2": 0.999},
        "lion": {"name": "lion", "lr": 0.01, "weight_decay": 0.0, "beta1": 0.9, "beta2": 0.99},
        "sgd": {"name": "sgd", "lr": 0.01, "weight_decay": 0.0, "momentum": 0.9, "nesterov": False},
    }[optimizer]
    config = tiny.settings(optimizer=chosen)
    module, val = tiny.classifier(config), tiny.val_batches(config)
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    model = measure_memory(module, trial_batch(val, 4), CPU)
    weights = sum(4 * parameter.numel() for parameter in module.parameters())
    assert model.fixed_bytes == pytest.approx((2 + states) * weights, rel=0.05)
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())


def test_the_line_holds_for_many_images() -> None:
    module, val = tiny.classifier(tiny.settings()), tiny.val_batches(tiny.settings())
    small, large = (measure_memory(module, trial_batch(val, images), CPU) for images in (4, 64))
    assert small.needed(64) == pytest.approx(large.needed(64), rel=0.01)
    # An image as float, at least: 16 x 16 pixels of four bytes.
    assert small.bytes_per_image > 16 * 16 * 4


def test_averaged_weights_are_counted() -> None:
    plain, averaged = (
        measure_memory(tiny.classifier(config), trial_batch(tiny.val_batches(config), 4), CPU)
        for config in (tiny.settings(), tiny.settings(averaging={"name": "ema", "decay": 0.9}))
    )
    module = tiny.classifier(tiny.settings())
    weights = sum(4 * parameter.numel() for parameter in module.parameters())
    assert averaged.fixed_bytes - plain.fixed_bytes == pytest.approx(weights, rel=0.1)


@pytest.mark.parametrize(
    ("a_step", "failed", "fit", "words"),
    [
        (36, 36, 12, "try data.batch_size=12 trainer.accumulate_grad_batches=3: 12 images at a time fit"),
        (32, 32, 20, "try data.batch_size=16 trainer.accumulate_grad_batches=2: 20 images at a time fit"),
        (32, 32, 12, "try data.batch_size=8 trainer.accumulate_grad_batches=4: 12 images at a time fit"),
        (31, 31, 12, "try data.batch_size=11 trainer.accumulate_grad_batches=3: 12 images at a time fit"),
        (32, 16, 400, "try data.batch_size=8 trainer.accumulate_grad_batches=4: 16 images at a time should"),
    ],
)
def test_the_hint_keeps_the_images_of_a_step(a_step: int, failed: int, fit: int, words: str) -> None:
    model = MemoryModel(fixed_bytes=GIB, bytes_per_image=GIB // 4)
    text = hint(a_step, failed, model, free=model.needed(fit) + 1)
    assert text.startswith(words)


def test_the_hint_says_how_much_of_how_much() -> None:
    model = MemoryModel(fixed_bytes=2 * GIB, bytes_per_image=math.ceil(0.75 * GIB))
    assert hint(36, 36, model, free=int(11.2 * GIB)).endswith(
        "12 images at a time fit by measurement (11.0 of 11.2 GiB)"
    )
    assert "1 at a time, the fewest it learns from, take 2.8 of 2.0 GiB" in hint(36, 36, model, free=2 * GIB)
    assert "not even two images at a time" in hint(36, 36, None, free=GIB)
