"""What a configuration says of the cost of an image: runs that agree in it cost alike, image by image."""

from collections.abc import Mapping
from typing import Any

_DECIDING = (
    "model.name",
    "model.in_channels",
    "model.attention",
    "model.fusion",
    "data.image_size",
    "data.batch_size",
    "data.eval_batch_size",
    "data.cache",
    "finetune.head_epochs",
    "finetune.stage_epochs",
    "finetune.frozen_stages",
    "optimizer.name",
    "averaging.name",
    "trainer.accumulate_grad_batches",
    "trainer.precision",
    "trainer.channels_last",
    "trainer.compile",
    "inference.tta",
    "logger.name",
    "logger.mode",
)


def workload(document: Mapping[str, Any]) -> dict[str, str | int | float | bool | None]:
    """The choices that decide what an image costs in time and memory, by their dotted keys.

    Of the augmentation it says which changes are made, not how strong; of early stopping, whether it may be.
    Seeds, learning rates, losses and the number of images and epochs are not in it: they cost nothing, or in
    proportion.

    Args:
        document: the resolved configuration, in plain values.
    """
    chosen = {}
    for key in _DECIDING:
        group, _, name = key.partition(".")
        chosen[key] = document[group][name]
    chosen["augment"] = " ".join(name for name, amount in document["augment"].items() if amount)
    chosen["trainer.early_stopping"] = document["trainer"]["early_stopping"] is not None
    if (devices := document["trainer"]["devices"]) > 1:  # one goes without saying, as it used to
        chosen["trainer.devices"] = devices
    return chosen
