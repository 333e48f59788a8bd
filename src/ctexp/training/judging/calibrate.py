"""The temperature that belongs to trained weights: fitted where they have not learned, kept beside them."""

from ctexp.core.errors import DataError
from ctexp.evaluation import temperature
from ctexp.evaluation.predictions import Predictions
from ctexp.evaluation.temperature import METHOD, TemperatureFit
from ctexp.record.calibration import Calibration, Change, FittedOn
from ctexp.record.checkpoint_files import BEST, read_sums
from ctexp.record.run_dir import RunDir


def calibration_of_run(run: RunDir, predictions: Predictions, split: str) -> Calibration | None:
    """The temperature of a run's best checkpoint: on val fitted and kept, elsewhere what was kept.

    Args:
        run: its directory.
        predictions: of the split, by the best checkpoint.
        split: its name.

    Returns:
        None where what was kept, if anything, is of other weights.

    Raises:
        DataError: what was kept is damaged.
        StorageError: the disk is full.
    """
    digest = read_sums(run.checkpoints).get(BEST)
    if split == "val":
        found = temperature.fit(predictions.label, predictions.logits)
        fitted = document(found, predictions, split, METHOD, digest)
        fitted.write(run.calibration)
        return fitted
    if not run.calibration.exists():
        return None
    kept = _kept(run)
    return kept if kept.checkpoint_sha256 == digest else None


def _kept(run: RunDir) -> Calibration:
    """What was fitted before."""
    way = f"fit it anew: scripts/inv evaluate --run {run.id} --split val"
    try:
        kept = Calibration.read(run.calibration)
    except DataError as error:
        raise DataError(error.problems, way) from error
    if not temperature.LOWEST <= kept.temperature <= temperature.HIGHEST:
        raise DataError(f"{run.calibration}: a temperature of {kept.temperature:g} was never fitted", way)
    return kept


def document(
    found: TemperatureFit,
    judged: Predictions,
    split: str,
    method: str,
    checkpoint_sha256: str | None = None,
) -> Calibration:
    """What the record says of a fit.

    Args:
        found: the fit.
        judged: the images it was made on.
        split: their name.
        method: how.
        checkpoint_sha256: of the weights; None where there are many.
    """
    return Calibration(
        temperature=found.temperature,
        fitted_on=FittedOn(split=split, n=len(judged.label), groups=len(set(judged.group))),
        nll=Change(before=found.loss[0], after=found.loss[1]),
        ece=Change(before=found.ece[0], after=found.ece[1]),
        method=method,
        checkpoint_sha256=checkpoint_sha256,
        notes=found.notes,
    )
