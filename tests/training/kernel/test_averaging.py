"""Averaged weights: what they are, who answers with them, and that nothing else touches them."""

import math
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn

from ctexp.models.build import parameter_count
from ctexp.models.tiny_cnn import TinyCnn
from ctexp.record.checkpoint_files import BEST, LAST
from ctexp.training.kernel.averaging import ExponentialAverage, StochasticAverage
from ctexp.training.kernel.checkpoints import load
from ctexp.training.kernel.module import Classifier
from tests.training import tiny

EMA: dict[str, Any] = {"name": "ema", "decay": 0.8}
SWA: dict[str, Any] = {"name": "swa", "start": 0.4, "lr_ratio": 0.3}
AVERAGES = {"ema": EMA, "swa": SWA}


class Watched(tiny.Quiet):
    """Notes the weights and learning rates of every step, and what validation was answered with."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[list[Tensor]] = []
        self.rates: list[float] = []
        self.answered: list[list[Tensor]] = []

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *rest: Any) -> None:
        super().on_train_batch_end(trainer, pl_module, *rest)
        assert isinstance(pl_module, Classifier)
        self.steps.append(copies(pl_module.model))
        self.rates.append(trainer.optimizers[0].param_groups[0]["lr"])

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        del trainer
        assert isinstance(pl_module, Classifier)
        self.answered.append(copies(pl_module.network))


def copies(network: nn.Module) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in network.parameters()]


def close(some: list[Tensor], others: list[Tensor]) -> None:
    torch.testing.assert_close(some, others, rtol=1e-4, atol=1e-6)


def trained(folder: Path, **changes: dict[str, Any]) -> tuple[Classifier, Watched]:
    report = Watched()
    return tiny.train(folder, tiny.settings(**changes), report=report), report


def test_ema_is_the_moving_average_that_forgets_its_first_steps(tmp_path: Path) -> None:
    module, report = trained(tmp_path, averaging=EMA)
    torch.manual_seed(7)
    expected = copies(tiny.network(tiny.settings()))
    for t, weights in enumerate(report.steps):
        decay = min(0.8, (1 + t) / (10 + t))
        expected = [decay * mean + (1 - decay) * now for mean, now in zip(expected, weights, strict=True)]
    close(copies(module.network), expected)
    close(report.answered[-1], expected)


def test_ema_keeps_averaged_statistics_too() -> None:
    model = nn.BatchNorm1d(3)
    average = ExponentialAverage(model, decay=0.5)
    for step in range(200):
        model(torch.full((2, 3), 4.0))
        average.after_step(model, step)
    norm = average.network(model)
    assert isinstance(norm, nn.BatchNorm1d)
    torch.testing.assert_close(norm.running_mean, torch.full((3,), 4.0))
    assert int(norm.num_batches_tracked or 0) == 200


def test_swa_is_the_mean_of_the_weights_at_the_ends_of_late_epochs(tmp_path: Path) -> None:
    module, report = trained(tmp_path, averaging=SWA, trainer={"max_epochs": 4})
    ends = report.steps[tiny.STEPS - 1 :: tiny.STEPS]
    close(report.answered[0], ends[0])
    close(report.answered[1], ends[1])
    for last in (2, 3):
        mean = [torch.stack(same).mean(dim=0) for same in zip(*ends[1 : last + 1], strict=True)]
        close(report.answered[last], mean)
    close(copies(module.network), report.answered[3])


def test_swa_learns_at_one_rate_from_its_first_epoch_on(tmp_path: Path) -> None:
    plain = trained(tmp_path / "plain", trainer={"max_epochs": 4})[1].rates
    rates = trained(tmp_path / "swa", averaging=SWA, trainer={"max_epochs": 4})[1].rates
    assert rates[: tiny.STEPS] == plain[: tiny.STEPS]
    assert rates[tiny.STEPS :] == pytest.approx([0.3 * 0.01] * 3 * tiny.STEPS)


def test_swa_estimates_batch_normalisation_as_torch_does() -> None:
    torch.manual_seed(0)
    model = TinyCnn(1, 4, dropout=0.0)
    shown = [torch.randn(6, 1, 16, 16) for _ in range(3)]
    average = StochasticAverage(model, first=0)
    average.eval()
    average.after_epoch(model, 0, ((images,) for images in shown))
    update_bn(shown, model)
    torch.testing.assert_close(dict(average.network(model).named_buffers()), dict(model.named_buffers()))
    assert not average.mean.training
    assert all(norm.momentum == 0.1 for norm in average.modules() if isinstance(norm, nn.BatchNorm2d))


def test_frozen_batch_normalisation_keeps_the_statistics_it_came_with() -> None:
    model = TinyCnn(1, 4, dropout=0.0)
    model.features[0].requires_grad_(False)
    average = StochasticAverage(model, first=0)
    average.eval()
    before = {name: value.clone() for name, value in model.named_buffers()}
    average.after_epoch(model, 0, [(torch.randn(6, 1, 16, 16),)])
    for name, value in average.mean.named_buffers():
        changed = bool((value != before[name]).any())
        assert changed != name.startswith("features.0."), name


def test_a_network_without_batch_normalisation_is_shown_nothing() -> None:
    def never() -> Any:
        pytest.fail("images were asked for")
        yield

    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2), nn.LayerNorm(2))
    average = StochasticAverage(model, first=0)
    average.after_epoch(model, 0, never())
    assert average.has_begun


def test_looking_again_at_the_epoch_leaves_training_as_it_is(tmp_path: Path) -> None:
    """SWA's own rate put equal to the constant one, its pass over the images must change no step."""
    constant = {"name": "constant", "warmup_epochs": 0.0}
    swa = SWA | {"lr_ratio": 1.0}
    plain = trained(tmp_path / "plain", scheduler=constant)[1].steps
    averaged = trained(tmp_path / "swa", scheduler=constant, averaging=swa)[1].steps
    torch.testing.assert_close(averaged, plain, rtol=0, atol=0)


@pytest.mark.parametrize("name", AVERAGES)
def test_an_average_changes_no_step_and_is_not_trained_or_counted(tmp_path: Path, name: str) -> None:
    module, report = trained(tmp_path / "averaged", averaging=AVERAGES[name], trainer={"gradient_clip": 0.1})
    if name == "ema":
        plain = trained(tmp_path / "plain", trainer={"gradient_clip": 0.1})[1].steps
        torch.testing.assert_close(report.steps, plain, rtol=0, atol=0)
    assert module.average is not None
    assert not any(parameter.requires_grad for parameter in module.average.parameters())
    assert parameter_count(module) == parameter_count(module.model) == parameter_count(TinyCnn(1, 4, 0.0))
    optimizer = module.trainer.optimizers[0]
    trained_ones = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    assert trained_ones == {id(parameter) for parameter in module.model.parameters()}
    module.to("meta")
    assert {parameter.device.type for parameter in module.average.parameters()} == {"meta"}


@pytest.mark.parametrize("name", AVERAGES)
def test_best_and_last_hold_what_they_should(tmp_path: Path, name: str) -> None:
    module, _ = trained(tmp_path, averaging=AVERAGES[name], trainer={"monitor": "val/loss"})
    last = load(tmp_path / "checkpoints" / LAST)["state_dict"]
    torch.testing.assert_close(last, module.state_dict(), rtol=0, atol=0)
    best = load(tmp_path / "checkpoints" / BEST)["state_dict"]
    assert set(best) == {f"model.{key}" for key in module.model.state_dict()}
    other = tiny.classifier(tiny.settings(averaging=AVERAGES[name]))
    other.adopt(best)
    assert other.average is None
    torch.testing.assert_close(other.answering_weights(), best, rtol=0, atol=0)


def test_best_holds_averaged_weights(tmp_path: Path) -> None:
    report = Watched()

    class Best(Watched):
        """Improves with every epoch."""

        def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
            super().on_validation_end(trainer, pl_module)
            assert isinstance(pl_module, Classifier)
            pl_module.val_metrics["macro_f1"] = float(trainer.current_epoch)

    report = Best()
    tiny.train(tmp_path, tiny.settings(averaging=EMA), report=report)
    best = load(tmp_path / "checkpoints" / BEST)["state_dict"]
    names = [name for name, _ in TinyCnn(1, 4, 0.0).named_parameters()]
    close([best[f"model.{name}"] for name in names], report.answered[-1])
    assert any(
        (best[f"model.{name}"] != now).any() for name, now in zip(names, report.steps[-1], strict=True)
    )


def test_swa_that_was_never_reached_says_so_and_answers_with_plain_weights(tmp_path: Path) -> None:
    early = {"early_stopping": {"patience": 1, "min_delta": math.ldexp(1, 20)}, "max_epochs": 10}
    module, report = trained(tmp_path, averaging=SWA, trainer=early)
    assert len(report.rows) == 2
    assert module.average is not None
    assert not module.average.has_begun
    assert module.network is module.model
