"""From a checkpoint to the numbers and pictures of a split, written into the run directory."""

from pathlib import Path
from typing import Any

import torch

from ctexp.core import files
from ctexp.data.batches import EvalBatches
from ctexp.data.selection import Selection
from ctexp.evaluation import figures, metrics, temperature
from ctexp.evaluation.predictions import Predictions
from ctexp.record.calibration import Calibration, Change, FittedOn
from ctexp.record.checkpoint_files import BEST, read_sums
from ctexp.record.run_dir import RunDir
from ctexp.training.checkpoints import load
from ctexp.training.module import Classifier
from ctexp.training.predict import VIEWS, predict
from ctexp.training.stopping import StopRequests


def measure(
    run: RunDir,
    module: Classifier,
    batches: EvalBatches,
    selection: Selection,
    split: str,
    device: torch.device,
    requests: StopRequests,
) -> dict[str, Any]:
    """Predict a split with the best checkpoint and write predictions, calibration, metrics and figures.

    Each image is looked at as `inference.tta` says. The temperature is fitted on val and kept; other splits
    use the one that was kept.

    Returns:
        The split's summary, as it stands in `metrics.json`.

    Raises:
        DataError: the checkpoint is missing or damaged.
        Stopped: a signal asked for an end.
        StorageError: the disk is full.
    """
    module.adopt(load(run.checkpoints / BEST)["state_dict"])
    rows = selection.rows[split]
    tta = module.settings.inference.tta
    predictions = predict(module, batches, rows, device, tta=tta, between=requests.check)
    predictions.write(run.predictions(split))
    summary = metrics.summarise(predictions, split) | {"tta": tta, "calibrated": None}
    if VIEWS[tta] > 1:
        summary["notes"].append(
            f"logits are means over {VIEWS[tta]} views of each image (inference.tta={tta})"
        )
    calibration = _calibration(run, predictions, split)
    if calibration is None:
        summary["notes"].append("no temperature belongs to this checkpoint yet: evaluate it on val first")
    else:
        summary["calibrated"] = temperature.summarise_calibrated(
            predictions, split, calibration.temperature, calibration.fitted_on.split
        )
    _merge(run.metrics, split, summary)
    title = selection.catalog.title
    figures.confusion(summary["confusion"], run.figures / f"confusion_{split}.png", split, title)
    figures.reliability(
        predictions.probabilities, predictions.label, run.figures / f"reliability_{split}.png", split, title
    )
    return summary


def calibration_of(predictions: Predictions, split: str, checkpoint_sha256: str | None) -> Calibration:
    """The temperature of a split's predictions, as a document.

    Args:
        predictions: of images that the weights have not learned from.
        split: their name.
        checkpoint_sha256: of the weights.
    """
    found = temperature.fit(predictions.label, predictions.logits)
    return Calibration(
        temperature=found.temperature,
        fitted_on=FittedOn(split=split, n=len(predictions.label), groups=len(set(predictions.group))),
        nll=Change(before=found.loss[0], after=found.loss[1]),
        ece=Change(before=found.ece[0], after=found.ece[1]),
        method=temperature.METHOD,
        checkpoint_sha256=checkpoint_sha256,
        notes=found.notes,
    )


def _calibration(run: RunDir, predictions: Predictions, split: str) -> Calibration | None:
    """The temperature of the best checkpoint: on val fitted and kept, else the one kept for these weights."""
    digest = read_sums(run.checkpoints).get(BEST)
    if split == "val":
        fitted = calibration_of(predictions, split, digest)
        fitted.write(run.calibration)
        return fitted
    if not run.calibration.exists():
        return None
    kept = Calibration.read(run.calibration)
    return kept if kept.checkpoint_sha256 == digest else None


def _merge(path: Path, split: str, summary: dict[str, Any]) -> None:
    document: dict[str, Any] = {"schema_version": 1, "splits": {}}
    if path.exists():
        document = files.read_json(path)
    document["splits"][split] = summary
    files.write_json(path, document)
