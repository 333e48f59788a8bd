"""From a checkpoint to the numbers and pictures of a split, written into the run directory."""

from pathlib import Path
from typing import Any

import torch

from ctexp.core import files
from ctexp.core.errors import DataError
from ctexp.data.batches import EvalBatches
from ctexp.data.selection import Selection
from ctexp.evaluation import figures, metrics, temperature
from ctexp.record.checkpoint_files import BEST
from ctexp.record.run_dir import RunDir
from ctexp.training.judging.calibrate import calibration_of_run
from ctexp.training.judging.predict import VIEWS, predict
from ctexp.training.kernel.checkpoints import load
from ctexp.training.kernel.module import Classifier
from ctexp.training.kernel.stopping import StopRequests


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
    calibration = calibration_of_run(run, predictions, split)
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


def _merge(path: Path, split: str, summary: dict[str, Any]) -> None:
    document: dict[str, Any] = {"schema_version": 1, "splits": {}}
    if path.exists():
        document = files.read_json(path)
    if not (isinstance(document, dict) and isinstance(document.get("splits"), dict)):
        raise DataError(f"{path}: `splits` is no table", "move the file away, and evaluate each split again")
    document["splits"][split] = summary
    files.write_json(path, document)
