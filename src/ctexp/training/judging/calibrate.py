"""The temperature that belongs to trained weights: fitted where they have not learned, kept beside them."""

from ctexp.core.errors import DataError
from ctexp.evaluation import temperature
from ctexp.evaluation.predictions import Predictions
from ctexp.evaluation.temperature import METHOD, TemperatureFit
from ctexp.record.calibration import Calibration, Change, FittedOn
from ctexp.record.checkpoint_files import BEST, read_sums
from ctexp.record.run_dir import RunDir


def fit_calibration(run: RunDir, predictions: Predictions) -> Calibration:
    """Fit the temperature of a run's best checkpoint on its validation predictions, and keep it.

    Raises:
        StorageError: the disk is full.
    """
    digest = read_sums(run.checkpoints).get(BEST)
    found = temperature.fit(predictions.label, predictions.logits)
    calibration = document(found, predictions, "val", METHOD, digest)
    calibration.write(run.calibration)
    return calibration


def kept_calibration(run: RunDir) -> Calibration | None:
    """What was fitted before; None where there is nothing, or it is of other weights.

    Raises:
        DataError: it is damaged.
    """
    if not run.calibration.exists():
        return None
    try:
        found = Calibration.read(run.calibration)
    except DataError as error:
        way = f"fit it anew: scripts/inv evaluate --run {run.id} --split val"
        raise DataError(error.problems, way) from error
    return found if found.checkpoint_sha256 == read_sums(run.checkpoints).get(BEST) else None


def document(
    found: TemperatureFit,
    judged: Predictions,
    split: str,
    method: str,
    checkpoint_sha256: str | None = None,
) -> Calibration:
    """What the record says of a fit."""
    return Calibration(
        temperature=found.temperature,
        fitted_on=FittedOn(split=split, n=len(judged.label), groups=len(set(judged.group))),
        nll=Change(before=found.loss[0], after=found.loss[1]),
        ece=Change(before=found.ece[0], after=found.ece[1]),
        method=method,
        checkpoint_sha256=checkpoint_sha256,
        notes=found.notes,
    )
