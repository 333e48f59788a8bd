"""The disk that a run needs and the disk there is: nearly all of it is for checkpoints."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from ctexp.config.schema.learning import LionSettings, OptimizerSettings, SgdSettings
from ctexp.core.errors import PreflightError, StorageError
from ctexp.training.kernel.module import Classifier

_RECORD = 4_000_000
"""Bytes for what is small: documents, logs, figures, and the tracker's copies of them."""

_EPOCH = 4_000
"""Bytes an epoch leaves in history, events, log and tracker."""

_TAKE_WEIGHTS = {"wandb", "mlflow", "comet"}
"""The trackers that copy the best checkpoint where they are to have it."""

_PREDICTION = 500
"""Bytes of an image's logits and hashes in a table of predictions."""


def needed(module: Classifier, val_images: int) -> int:
    """Bytes that a run takes while it trains and at its end.

    Counted are `best`, `last`, the one before, and the temporary file that will be the next one, as large as
    the largest; a copy of `best` for each tracker that gets one; and what the record takes besides.

    Args:
        module: its network, averages and settings.
        val_images: images whose predictions are written.
    """
    settings = module.settings
    best = _bytes(module.model.state_dict().values())
    learning = _bytes(weight for weight in module.model.parameters() if weight.requires_grad)
    last = _bytes(module.state_dict().values()) + _states(settings.optimizer) * learning
    copies = len(_TAKE_WEIGHTS & set(settings.logger.kinds)) if settings.logger.log_model == "best" else 0
    record = _RECORD + settings.trainer.max_epochs * _EPOCH + val_images * _PREDICTION
    return (1 + copies) * best + 3 * last + record


def _states(optimizer: OptimizerSettings) -> int:
    """Numbers that an optimizer keeps for each one that learns."""
    match optimizer:
        case LionSettings():
            return 1
        case SgdSettings():
            return 1 if optimizer.momentum else 0
        case _:
            return 2


def refuse_unless_free(runs: Path, wanted: int) -> None:
    """Compare what a run needs with what is free, before anything is made.

    Raises:
        PreflightError: there is less.
    """
    free = _free(runs)
    if free < wanted:
        raise PreflightError(
            f"{runs}: a run needs {_mb(wanted)}, {_mb(free)} are free",
            "free some space there, or set paths.runs to a folder on another disk",
        )


def check_before_writing(path: Path, content: Any) -> None:
    """Tell that a checkpoint has no room before half of it is written.

    Raises:
        StorageError: its tensors alone are larger than what is free.
    """
    wanted, free = _bytes(_tensors(content)), _free(path.parent)
    if free < wanted:
        raise StorageError(
            f"{path.parent}: no space left for {path.name}: it needs {_mb(wanted)}, {_mb(free)} are free",
            "free some space there, then resume",
        )


def _free(folder: Path) -> int:
    """Bytes free in a folder, or where it would be made."""
    return shutil.disk_usage(next(path for path in (folder, *folder.parents) if path.exists())).free


def _tensors(content: Any) -> Iterable[Tensor]:
    """The tensors in nested containers."""
    match content:
        case Tensor():
            yield content
        case dict():
            for value in content.values():
                yield from _tensors(value)
        case list() | tuple():
            for value in content:
                yield from _tensors(value)


def _bytes(tensors: Iterable[Tensor | nn.Parameter]) -> int:
    """Their bytes, those of shared memory once."""
    return sum({t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in tensors}.values())


def _mb(count: int) -> str:
    return f"{count / 1e6:.0f} MB" if count >= 1e7 else f"{count / 1e6:.1f} MB"
