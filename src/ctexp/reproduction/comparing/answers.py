"""What two runs said of each image, and the weights they said it with."""

from typing import TYPE_CHECKING

import numpy as np

from ctexp.core import files
from ctexp.evaluation.predictions import Predictions
from ctexp.record.checkpoint_files import BEST
from ctexp.record.run_dir import RunDir
from ctexp.reproduction.comparing.numbers import Held
from ctexp.reproduction.verdict import Compared, Difference

if TYPE_CHECKING:
    import torch


def predictions(one: RunDir, other: RunDir, split: str, tolerance: float | None) -> Held:
    """Both tables of a split: bytes, then logits and classes.

    Args:
        one: the recorded run.
        other: the second one.
        split: of the predictions.
        tolerance: which share of the images may get another class; None where every byte has to be the same.

    Raises:
        DataError: one of the tables cannot be read.
    """
    paths = one.predictions(split), other.predictions(split)
    tables = recorded, found = Predictions.read(paths[0]), Predictions.read(paths[1])
    what, number = f"predictions of {split}", len(recorded.image_id)
    if recorded.image_id != found.image_id or recorded.sha256 != found.sha256:
        of = Difference(
            area="predictions",
            what=f"images of {split}",
            recorded=_images(recorded, found),
            found=_images(found, recorded),
        )
        return Held(
            Compared(area="predictions", what=what, number=number, unit="images", identical=False), (of,)
        )
    identical = files.sha256_file(paths[0]) == files.sha256_file(paths[1])
    answers = [table.logits.argmax(axis=1) for table in tables]
    changed = int((answers[0] != answers[1]).sum())
    largest = float(np.abs(recorded.logits - found.logits).max())
    compared = Compared(
        area="predictions",
        what=what,
        number=number,
        unit="images",
        identical=identical,
        largest=None if identical else largest,
        changed=changed,
    )
    if identical or (tolerance is not None and changed <= tolerance * number):
        return Held(compared)
    said = f"another class for {changed} of {number} images, logits up to {largest:.3g} apart"
    return Held(compared, (Difference(area="predictions", what=what, found=said),))


def _images(table: Predictions, without: Predictions) -> str:
    """How many there are, and how many of them the other has not."""
    alone = set(zip(table.image_id, table.sha256, strict=True))
    alone -= set(zip(without.image_id, without.sha256, strict=True))
    return f"{len(table.image_id)} images, {len(alone)} of them not in the other"


def weights(one: RunDir, other: RunDir, *, counts: bool) -> Held:
    """The tensors of both `best.ckpt`: the files are archives whose bytes hold a temporary name too.

    Raises:
        DataError: one of the two is damaged, or was pruned.
    """
    recorded, found = (_tensors(run) for run in (one, other))
    names = [*recorded, *(name for name in found if name not in recorded)]
    apart = [name for name in names if not _identical(recorded.get(name), found.get(name))]
    compared = Compared(
        area="checkpoint",
        what=BEST,
        number=len(names),
        unit="tensors",
        identical=not apart,
        changed=len(apart),
    )
    if not (apart and counts):
        return Held(compared)
    said = f"{len(apart)} of {len(names)} tensors differ, {apart[0]} first"
    return Held(compared, (Difference(area="checkpoint", what=BEST, found=said),))


def _tensors(run: RunDir) -> "dict[str, torch.Tensor]":
    from ctexp.training.kernel import checkpoints  # torch, and Lightning with it

    state: dict[str, torch.Tensor] = checkpoints.load(run.checkpoints / BEST)["state_dict"]
    return state


def _identical(one: "torch.Tensor | None", other: "torch.Tensor | None") -> bool:
    """Bit for bit, NaN included."""
    if one is None or other is None or one.dtype != other.dtype or one.shape != other.shape:
        return False
    return one.numpy().tobytes() == other.numpy().tobytes()
