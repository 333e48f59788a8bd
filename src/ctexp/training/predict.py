"""Logits of a split: what every later number is computed from."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ctexp.data.batches import EvalBatches
from ctexp.data.catalog import ImageRow
from ctexp.evaluation.predictions import Predictions


def predict(
    model: nn.Module,
    batches: EvalBatches,
    rows: Sequence[ImageRow],
    device: torch.device,
    *,
    between: Callable[[], None] = lambda: None,
) -> Predictions:
    """Run a model over a split, in full precision, one batch after the other.

    Args:
        model: from images uint8 (B, 1, H, W) and features (B, k) or None to logits (B, 4).
        batches: the split's images, in the order of `rows`.
        rows: the split's catalog rows.
        device: where to compute.
        between: called after every batch; it may raise to stop.

    Returns:
        One prediction per row, in order.
    """
    model.eval().to(device)
    logits: list[NDArray[np.float32]] = []
    with torch.inference_mode():
        for batch in batches:
            features = None if batch.features is None else batch.features.to(device)
            logits.append(model(batch.images.to(device), features).float().cpu().numpy())
            between()
    return Predictions(
        image_id=tuple(row.image_id for row in rows),
        sha256=tuple(row.sha256 for row in rows),
        group=tuple(row.group for row in rows),
        label=labels_of(rows),
        logits=np.concatenate(logits),
    )


def labels_of(rows: Sequence[ImageRow]) -> NDArray[np.int64]:
    """The labels (N,) of catalog rows."""
    return np.array([row.label for row in rows], dtype=np.int64)
