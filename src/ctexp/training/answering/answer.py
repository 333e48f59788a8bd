"""Images through an ensemble at full speed: cores decode what comes next while the networks look."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ctexp.core.classes import CLASSES
from ctexp.core.errors import DataError, MemoryExhausted
from ctexp.data.parallel import in_order
from ctexp.data.unlabelled import Image, Reader
from ctexp.training.judging.ensemble import Ensemble
from ctexp.training.memory.exhaustion import exhausted

_AHEAD = 2
"""Batches that are decoded before the networks ask for them; all that is ever held of the images."""


@dataclass(frozen=True)
class Answered:
    """What was said of each image.

    Attributes:
        names: of the images, in the order they were given.
        sha256: of the files; empty where one could not be read.
        probabilities: (N, 4); NaN where an image could not be read.
        problems: why, by name; none where all could.
    """

    names: tuple[str, ...]
    sha256: tuple[str, ...]
    probabilities: NDArray[np.float64]
    problems: dict[str, str]


def answer(
    ensemble: Ensemble,
    reader: Reader,
    names: Sequence[str],
    device: torch.device,
    *,
    batch_size: int,
    skip_unreadable: bool = False,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Answered:
    """Read and classify images, in memory that does not grow with their number but for the answers.

    Args:
        ensemble: the networks.
        reader: makes an image of a name, in the size that the networks take.
        names: of the images.
        device: of the networks.
        batch_size: images at a time, at least 1.
        skip_unreadable: go on without images that cannot be read.
        progress: called with (done, total) images.

    Raises:
        DataError: images cannot be read; all of them are named.
        MemoryExhausted: so many at a time do not fit.
    """
    sha256 = [""] * len(names)
    probabilities = np.full((len(names), len(CLASSES)), np.nan)
    refused: dict[str, DataError] = {}
    batch: dict[int, Image] = {}

    def look() -> None:
        if batch:
            probabilities[list(batch)] = _look(ensemble, list(batch.values()), device)
            batch.clear()

    with closing(in_order(reader, names, ahead=_AHEAD * batch_size, processes=reader.measure)) as images:
        for place, image in enumerate(images):
            if isinstance(image, DataError):
                refused[names[place]] = image
            else:
                sha256[place] = image.sha256
                batch[place] = image
            if refused and not skip_unreadable:
                batch.clear()  # the rest is read to name all that is wrong, and not worth a look
            elif len(batch) == batch_size:
                look()
            progress(place + 1, len(names))
    look()
    if refused and not skip_unreadable:
        raise DataError(
            [problem for error in refused.values() for problem in error.problems],
            next((error.hint for error in refused.values() if error.hint), "")
            or "repair or remove them, or go on without: --skip-unreadable",
        )
    problems = {name: "; ".join(error.problems) for name, error in refused.items()}
    return Answered(tuple(names), tuple(sha256), probabilities, problems)


def _look(ensemble: Ensemble, images: Sequence[Image], device: torch.device) -> NDArray[np.float64]:
    """Probabilities (B, 4) of a batch."""
    squares = torch.from_numpy(np.stack([image.square for image in images])[:, None])
    measured = [image.measured for image in images if image.measured is not None]
    try:
        return ensemble.probabilities(squares.to(device), np.stack(measured) if measured else None)
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if (where := exhausted(error)) is None:
            raise
        smaller = f"try --batch-size {len(images) // 2}" if len(images) > 1 else "name a smaller network"
        raise MemoryExhausted(
            f"{where} ran out of memory with {len(images)} images at a time", smaller
        ) from error
