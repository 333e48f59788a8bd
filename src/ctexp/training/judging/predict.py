"""Logits of a split: what every later number is computed from."""

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ctexp.core.heartbeat import beat
from ctexp.data.batches import EvalBatches, labels_of
from ctexp.data.catalog import ImageRow
from ctexp.evaluation.predictions import Predictions

Tta = Literal["none", "flip", "flip_shift"]
"""Test-time augmentation: which views of an image are averaged."""

VIEWS: dict[Tta, int] = {"none": 1, "flip": 2, "flip_shift": 10}
"""How many views there are."""

SHIFT = 1 / 32
"""How far `flip_shift` moves an image, as a share of its side: 7 pixels of 224, and never less than one."""


def predict(
    model: nn.Module,
    batches: EvalBatches,
    rows: Sequence[ImageRow],
    device: torch.device,
    *,
    tta: Tta = "none",
    between: Callable[[], None] = lambda: None,
) -> Predictions:
    """Run a model over a split, in full precision, one batch after the other.

    Args:
        model: from images uint8 (B, 1, H, W) and features (B, k) or None to logits (B, 4).
        batches: the split's images, in the order of `rows`.
        rows: the split's catalog rows.
        device: where to compute.
        tta: the views of each image; its logits are their mean.
        between: called after every batch; it may raise to stop.

    Returns:
        One prediction per row, in order.
    """
    model.eval().to(device)
    logits: list[NDArray[np.float32]] = []
    with torch.inference_mode():
        for batch in batches:
            features = None if batch.features is None else batch.features.to(device)
            seen = [model(view, features).float() for view in views(batch.images.to(device), tta)]
            logits.append(torch.stack(seen).mean(dim=0).cpu().numpy())
            beat()
            between()
    return Predictions(
        image_id=tuple(row.image_id for row in rows),
        sha256=tuple(row.sha256 for row in rows),
        group=tuple(row.group for row in rows),
        label=labels_of(rows),
        logits=np.concatenate(logits),
    )


def views(images: Tensor, tta: Tta) -> Iterator[Tensor]:
    """Each way to look at images uint8 (B, 1, H, W), the first of them as they are; on the same device.

    `flip` adds the mirror image. `flip_shift` adds to both their shifts by `SHIFT` up, down, left and right,
    the uncovered margin black, as it is around a padded image.
    """
    sides = (images,) if tta == "none" else (images, images.flip(-1))
    steps = [max(1, round(side * SHIFT)) for side in images.shape[-2:]]
    for side in sides:
        yield side
        if tta == "flip_shift":
            for axis, sign in product((0, 1), (-1, 1)):
                yield _shifted(side, axis - 2, sign * steps[axis])


def _shifted(images: Tensor, axis: int, step: int) -> Tensor:
    """Images moved by `step` pixels along an axis; what enters is black."""
    left = images.shape[axis] - abs(step)
    moved = torch.zeros_like(images)
    moved.narrow(axis, max(0, step), left).copy_(images.narrow(axis, max(0, -step), left))
    return moved
