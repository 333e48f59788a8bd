"""Whether an exported network says what the run said: of the run's own validation images, logit by logit.

Three answers are compared: the exported file's, the network's in torch on this machine, and the one that the
run recorded when it was judged. The first two are computed on one processor and differ by the order of sums
alone. The recorded one may come from a GPU, whose convolutions round their inputs to ten bits (TF32).
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ctexp.core.errors import CriterionNotMet, DataError
from ctexp.data import catalog
from ctexp.data.cache import UncachedImages
from ctexp.data.catalog import ImageRow
from ctexp.data.images import decode, read_content
from ctexp.evaluation.predictions import Predictions
from ctexp.evaluation.temperature import calibrated
from ctexp.training.judging.network import Trained

TOLERANCE = 1e-3
"""The largest difference of logits between two programs on one processor; of probabilities too."""

TOLERANCE_OF_GPU = 5e-2
"""The same against the record of a run that computed on a GPU."""

_MOST = 128
_AT_ONCE = 32

Said = Callable[[NDArray[np.uint8], NDArray[np.float64] | None], tuple[NDArray[Any], NDArray[Any]]]
"""From images (B, 1, H, W) and measured features (B, k) to logits and probabilities (B, 4)."""


@dataclass(frozen=True)
class Agreement:
    """How far the answers lie apart.

    Attributes:
        images: how many were looked at.
        of: how many validation images the run was judged on.
        logits_from_network: the largest difference from the network in torch.
        logits_from_record: the largest difference from the run's stored predictions.
        probabilities: the largest difference from the stored logits' at the temperature.
        classes_differ: images called another class than in the record: ties within the tolerance.
        tolerance: of the first and third.
        tolerance_of_record: of the second.
    """

    images: int
    of: int
    logits_from_network: float
    logits_from_record: float
    probabilities: float
    classes_differ: int
    tolerance: float
    tolerance_of_record: float

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Sample:
    """Real images, and what the run said of them.

    Attributes:
        images: uint8 (N, 1, H, W).
        features: the columns that the network takes, as measured, float64 (N, k); None where it takes none.
        logits: as recorded, (N, 4).
        of: how many the record has.
    """

    images: NDArray[np.uint8]
    features: NDArray[np.float64] | None
    logits: NDArray[np.float32]
    of: int


def sample(trained: Trained, data_dir: Path) -> Sample:
    """The validation images of a run, evenly spaced ones where they are many.

    Images that the data set no longer has are left out; without any there is nothing to check on.

    Raises:
        DataError: the data set or all those images are gone, or files are damaged.
    """
    recorded = Predictions.read(trained.run.predictions("val"))
    try:
        known = catalog.load(data_dir, trained.manifest.dataset.name)
    except DataError as error:
        raise DataError(
            [f"an export is checked on the run's own images: {problem}" for problem in error.problems],
            error.hint,
        ) from error
    of = {(row.image_id, row.sha256): row for row in known.rows}
    there = [
        (place, of[key])
        for place, key in enumerate(zip(recorded.image_id, recorded.sha256, strict=True))
        if key in of
    ]
    if not there:
        raise DataError(
            f"{trained.run.id}: none of its {len(recorded.image_id)} validation images is in "
            f"{known.name} any more: an export is checked on them",
            "bring the data set back that it was trained on",
        )
    spaced = np.linspace(0, len(there) - 1, min(_MOST, len(there)))
    chosen = [there[place] for place in spaced.round().astype(int)]
    rows, data = [row for _, row in chosen], trained.settings.data
    images = UncachedImages(known.raw, rows, data.image_size, data.resize).take(np.arange(len(rows)))
    return Sample(
        images[:, None],
        _measured(trained, known.raw, rows),
        recorded.logits[[place for place, _ in chosen]],
        len(recorded.image_id),
    )


def _measured(trained: Trained, raw: Path, rows: list[ImageRow]) -> NDArray[np.float64] | None:
    """The columns that the network takes, of each image."""
    features: dict[str, Any] | None = trained.manifest.features
    if features is None:
        return None
    from ctexp.data.radiomics.columns import COLUMNS, measure  # takes 1 s

    places = [COLUMNS.index(column) for column in features["columns"]]
    greys = (decode(read_content(raw / row.path, row.image_id), row.image_id, row.window) for row in rows)
    return np.stack([measure(grey)[0][places] for grey in greys])


def compare(
    exported: Said, network: Said, looked_at: Sample, temperature: float, of_record: float
) -> Agreement:
    """Ask all, and compare.

    Args:
        exported: the file.
        network: in torch.
        looked_at: real images.
        temperature: of the probabilities.
        of_record: how far the record may be away.

    Raises:
        CriterionNotMet: they lie further apart than the tolerances.
    """
    logits, probabilities = _ask(exported, looked_at)
    reference, _ = _ask(network, looked_at)
    found = Agreement(
        images=len(logits),
        of=looked_at.of,
        logits_from_network=_apart(logits, reference),
        logits_from_record=_apart(logits, looked_at.logits),
        probabilities=_apart(probabilities, calibrated(logits, temperature)),
        classes_differ=int((logits.argmax(axis=1) != looked_at.logits.argmax(axis=1)).sum()),
        tolerance=TOLERANCE,
        tolerance_of_record=of_record,
    )
    problems = [
        f"{what} differ by up to {apart:.3g} over {found.images} images; {allowed:g} is allowed"
        for what, apart, allowed in (
            ("logits of the exported file and of the network", found.logits_from_network, TOLERANCE),
            ("logits of the exported file and of the run's record", found.logits_from_record, of_record),
            ("probabilities of the exported file and of its logits", found.probabilities, TOLERANCE),
        )
        if not apart <= allowed
    ]
    if problems:
        raise CriterionNotMet(problems, "nothing was written")
    return found


def of_torch(module: torch.nn.Module) -> Said:
    """What a module answers, as `compare` asks it."""

    def said(
        images: NDArray[np.uint8], features: NDArray[np.float64] | None
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        with torch.inference_mode():
            measured = None if features is None else torch.from_numpy(features)
            logits, probabilities = module(torch.from_numpy(images), measured)
        return logits.numpy(), probabilities.numpy()

    return said


def _ask(said: Said, looked_at: Sample) -> tuple[NDArray[Any], NDArray[Any]]:
    """Batch by batch; the last is of another size, and may be a single image."""
    parts = []
    for start in range(0, len(looked_at.images), _AT_ONCE):
        places = slice(start, start + _AT_ONCE)
        features = None if looked_at.features is None else looked_at.features[places]
        parts.append(said(looked_at.images[places], features))
    logits, probabilities = zip(*parts, strict=True)
    return np.concatenate(logits), np.concatenate(probabilities)


def _apart(one: NDArray[Any], other: NDArray[Any]) -> float:
    return float(np.abs(one.astype(np.float64) - other).max())
