"""One step, in however many parts."""

from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from ctexp.data.batches import Batch
from ctexp.training.kernel.module import Classifier
from tests.training import tiny

RECIPES: dict[str, dict[str, dict[str, Any]]] = {
    "plain": {},
    "clipped": {"trainer": {"gradient_clip": 0.05}},
    "weighted": {"loss": {"name": "class_balanced", "beta": 0.9, "label_smoothing": 0.1}},
    "mixed": {
        "augment": {"mixup": 0.4, "cutmix": 1.0},
        "loss": {"name": "balanced_softmax", "label_smoothing": 0.0},
    },
}


class Learned(tiny.Quiet):
    """Notes what every step learned from."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[Batch] = []

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: object,
        batch: Batch,
        batch_idx: int,
    ) -> None:
        super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)
        self.batches.append(batch)


def plain_network() -> nn.Module:
    """Neither batch normalisation nor dropout: what an image gives depends on no other."""
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2),
        nn.Tanh(),
        nn.Flatten(),
        nn.Linear(4 * 7 * 7, 8),
        nn.Tanh(),
        nn.Linear(8, 4),
    )


def in_parts(folder: Path, parts: int, recipe: dict[str, dict[str, Any]]) -> tuple[Classifier, Learned]:
    """Steps of twelve images, each in so many parts."""
    changes = dict(recipe)
    changes["trainer"] = {"accumulate_grad_batches": parts, "max_epochs": 2} | recipe.get("trainer", {})
    changes["data"] = {"batch_size": 12 // parts}
    # Not an optimizer that divides by the gradient's size: it makes much of differences in the last bit.
    changes["optimizer"] = {"name": "sgd", "lr": 0.1, "weight_decay": 0.0, "momentum": 0.9, "nesterov": False}
    report = Learned()
    return tiny.train(folder, tiny.settings(**changes), report=report, model=plain_network()), report


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_step_in_parts_is_the_step_as_a_whole(tmp_path: Path, recipe: str) -> None:
    whole, report = in_parts(tmp_path / "1", 1, RECIPES[recipe])
    for parts in (2, 4):
        other, in_order = in_parts(tmp_path / f"{parts}", parts, RECIPES[recipe])
        torch.testing.assert_close(in_order.batches, report.batches, rtol=0, atol=0)
        for name, value in other.state_dict().items():
            torch.testing.assert_close(value, whole.state_dict()[name], rtol=1e-4, atol=1e-6, msg=name)
        for key in ("train/loss", "train/accuracy", "train/gradient_norm", "val/loss"):
            assert in_order.rows[-1][key] == pytest.approx(report.rows[-1][key], rel=1e-4)


def test_parts_are_of_even_size_and_computed_one_at_a_time(tmp_path: Path) -> None:
    sizes: list[int] = []
    network = plain_network()

    def note(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if module.training:
            sizes.append(len(inputs[0]))

    network.register_forward_pre_hook(note)
    config = tiny.settings(data={"batch_size": 3}, trainer={"accumulate_grad_batches": 4, "max_epochs": 2})
    tiny.train(tmp_path, config, model=network)
    assert sizes == [3, 3, 3, 2] * 2 * 2


def test_a_mixed_image_counts_for_both_its_labels() -> None:
    module = tiny.classifier(tiny.settings(augment={"mixup": 1.0}, loss=RECIPES["mixed"]["loss"]))
    batch = next(iter(tiny.batches(tiny.Pictures(22, seed=1), module.settings)))
    assert batch.mix is not None
    logits = torch.randn(len(batch.labels), 4)
    kept = float(batch.mix.kept[0])
    expected = kept * module.loss(logits, batch.labels) + (1 - kept) * module.loss(logits, batch.mix.labels)
    torch.testing.assert_close(module.losses(logits, batch), expected)
    assert 0 < kept < 1
    assert (expected != module.loss(logits, batch.labels)).any()
