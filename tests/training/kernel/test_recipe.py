"""From the files of `conf/` to the losses, samplers and averages that a training uses."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from ctexp.config import groups
from ctexp.config.compose import compose
from ctexp.config.schema import Settings
from ctexp.data.batches import Batch
from ctexp.data.pixels import HostPixels
from ctexp.training.kernel.averaging import ExponentialAverage, StochasticAverage, build_average
from ctexp.training.kernel.recipe import build_loss, build_train_batches
from tests.project import HERE, TINY
from tests.training import tiny

COUNTS = [12, 6, 3, 1]
LABELS = np.repeat(np.arange(4), COUNTS)


@pytest.fixture(scope="module", autouse=True)
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The shipped files, without anybody's local settings."""
    folder = tmp_path_factory.mktemp("shipped")
    shutil.copytree(HERE / "conf", folder / "conf", ignore=shutil.ignore_patterns("local.yaml"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield


def settings(*overrides: str) -> Settings:
    return compose([*TINY, *overrides], Path()).settings


def first_batch(*overrides: str) -> Batch:
    pictures = tiny.Pictures(22, seed=1)
    return next(iter(build_train_batches(settings(*overrides), HostPixels(pictures), LABELS)))


def test_every_loss_of_conf_is_another() -> None:
    logits = torch.randn(22, 4, generator=torch.Generator().manual_seed(0))
    chosen = [f"loss={name}" for name in groups.choices("loss", HERE / "conf")]
    variants = [[choice] for choice in chosen]
    variants += [["loss=focal", "loss.gamma=1.0"], ["loss=focal", "loss.class_weights=balanced"]]
    variants += [["loss.class_weights=balanced"], ["loss=class_balanced", "loss.beta=0.5"]]
    variants += [["loss=pairwise_confusion", "loss.confusion=0.2"]]
    variants += [[choice, "loss.label_smoothing=0.0"] for choice in chosen if choice != "loss=focal"]
    means = {float(build_loss(settings(*v), COUNTS)(logits, torch.tensor(LABELS)).mean()) for v in variants}
    assert len(chosen) == 5
    assert len(means) == len(variants)


def test_the_sampler_decides_what_a_batch_shows() -> None:
    batches = [
        list(build_train_batches(settings(choice), HostPixels(tiny.Pictures(22, seed=1)), LABELS))
        for choice in ("sampler=uniform", "sampler=class_balanced")
    ]
    uniform, balanced = (torch.cat([batch.labels for batch in of]).bincount().tolist() for of in batches)
    assert uniform == COUNTS
    assert sorted(balanced) == [5, 5, 6, 6]


def test_an_image_shown_twice_in_an_epoch_is_changed_in_two_ways() -> None:
    pictures = HostPixels(tiny.Pictures(22, seed=1))
    config = settings("sampler=class_balanced", "augment=standard")
    batches = list(build_train_batches(config, pictures, LABELS))
    labels = torch.cat([batch.labels for batch in batches])
    images = torch.cat([batch.images for batch in batches])[labels == 3]  # one picture
    assert len(images) >= 5
    assert len(torch.unique(images.flatten(1), dim=0)) == len(images)


@pytest.mark.parametrize("kind", ["mixup", "cutmix"])
def test_mixing_reaches_a_batch(kind: str) -> None:
    plain, mixed = first_batch("augment=none"), first_batch("augment=none", f"augment.{kind}=1.0")
    assert plain.mix is None
    assert mixed.mix is not None
    torch.testing.assert_close(mixed.labels, plain.labels)
    changed = (mixed.images != plain.images).flatten(1).any(dim=1)
    assert changed.all()
    share = (mixed.images == plain.images).double().mean()
    if kind == "cutmix":
        assert float(share) == pytest.approx(float(mixed.mix.kept[0]), abs=0.02)


def test_averages_are_as_asked_for() -> None:
    model = tiny.network(tiny.settings())
    assert build_average(settings(), model) is None
    assert isinstance(build_average(settings("averaging=ema"), model), ExponentialAverage)
    assert isinstance(build_average(settings("averaging=swa"), model), StochasticAverage)


def test_a_step_learns_from_all_batches_it_accumulates() -> None:
    assert len(first_batch("trainer.accumulate_grad_batches=2").labels) == 22 // 2  # two even steps
