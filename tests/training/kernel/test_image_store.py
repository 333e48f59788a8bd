"""From a configuration to what training is shown: through the files of `conf/` and the cache on disk."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ctexp.config import groups
from ctexp.config.compose import compose
from ctexp.core.errors import UsageError
from ctexp.data.selection import select
from ctexp.training.kernel.recipe import ImageStore
from tests.data.augment.samples import OPTIONS
from tests.project import HERE, TINY, add_tiny_set

CHOICES = set(groups.choices("augment", HERE / "conf"))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(HERE / "conf", folder / "conf", ignore=shutil.ignore_patterns("local.yaml"))
    add_tiny_set(folder)
    return folder


def store(project: Path, *overrides: str) -> ImageStore:
    settings = compose([*TINY, "data.split=official", *overrides], project).settings
    data_dir = project / "data"
    selection = select(data_dir, project / "splits", "tiny", "official", None)
    return ImageStore(settings, selection, None, data_dir, torch.device("cpu"))


def inputs(project: Path, *overrides: str) -> NDArray[np.uint8]:
    """What two epochs show, in the order of the split, shape (2, images, side, side)."""
    opened = store(project, *overrides)
    batches, count = opened.train_batches(), len(opened.selection.rows["train"])
    shown = np.zeros((2, count, 16, 16), np.uint8)
    for epoch in range(2):
        batches.set_epoch(epoch)
        images = torch.cat([batch.images[:, 0] for batch in batches]).numpy()
        shown[epoch, order_of(opened, epoch)] = images
    return shown


def order_of(opened: ImageStore, epoch: int) -> NDArray[np.int64]:
    from ctexp.data.draws import order

    return order(opened.settings.seed, epoch, len(opened.selection.rows["train"]))


def share_changed(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float((one != other).any(axis=(1, 2)).mean())


@pytest.mark.parametrize("cache", ["disk", "none"])
@pytest.mark.parametrize("choice", sorted(CHOICES - {"none"}))
def test_every_file_of_conf_augment_reaches_training(project: Path, choice: str, cache: str) -> None:
    plain = inputs(project, "augment=none")
    first, second = inputs(project, f"augment={choice}", f"data.cache={cache}")

    np.testing.assert_array_equal(plain[0], plain[1])
    assert share_changed(first, plain[0]) > 0.9
    assert share_changed(first, second) > 0.9


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_of_the_command_line_reaches_training(project: Path, option: str) -> None:
    plain = inputs(project, "augment=none")[0]
    first, second = inputs(project, "augment=none", f"augment.{option}={OPTIONS[option]}")

    assert share_changed(first, plain) > 0.2
    assert share_changed(first, second) > 0.2


def test_validation_is_never_augmented(project: Path) -> None:
    opened = store(project, "augment=strong")
    plain = store(project, "augment=none")

    for one, other in zip(opened.eval_batches("val"), plain.eval_batches("val"), strict=True):
        torch.testing.assert_close(one.images, other.images, rtol=0, atol=0)


@pytest.mark.parametrize("wrong", ["elastic=0.2", "jpeg=1.0", "crop=-0.1", "gamma=1.5", "erasing=2"])
def test_amounts_without_a_meaning_are_refused(project: Path, wrong: str) -> None:
    with pytest.raises(UsageError, match=f"augment.{wrong.partition('=')[0]}"):
        store(project, f"augment.{wrong}")
