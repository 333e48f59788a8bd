"""From a checkpoint to the numbers and pictures of a split, written into the run directory."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from ctexp.core import files, screen
from ctexp.core.errors import DataError
from ctexp.data.batches import EvalBatches
from ctexp.data.selection import Selection
from ctexp.evaluation import figures, metrics, operating, temperature
from ctexp.evaluation.operating import Asked
from ctexp.evaluation.predictions import Predictions
from ctexp.record.checkpoint_files import BEST, read_sums
from ctexp.record.look import Look
from ctexp.record.run_dir import RunDir
from ctexp.training.judging import calibrate
from ctexp.training.judging.predict import VIEWS, predict
from ctexp.training.judging.speed import Pace, speed
from ctexp.training.kernel.checkpoints import load_weights
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
    *,
    asked: Asked | None = None,
    opening: Callable[[], Look] | None = None,
) -> dict[str, Any]:
    """Predict a split with the best checkpoint and write predictions, calibration, metrics and figures.

    Each image is looked at as `inference.tta` says. The temperature is fitted on val and kept; other splits
    use the one that was kept. What earlier weights said of other splits, before the training went on, is
    removed.

    Args:
        run: its directory.
        module: the network.
        batches: the split's images.
        selection: the data set.
        split: the split's name.
        device: where to compute.
        requests: to stop.
        asked: what to tell besides of cancer against normal, of speed and of size; None at a training's end.
        opening: writes down the look at a sealed split; called when all is ready and nothing is predicted.

    Returns:
        The split's summary, as it stands in `metrics.json`.

    Raises:
        DataError: the checkpoint is missing or damaged.
        Stopped: a signal asked for an end.
        StorageError: the disk is full.
    """
    module.adopt(load_weights(run.checkpoints / BEST))
    rows = selection.rows[split]
    tta = module.settings.inference.tta
    calibration = None if split == "val" else calibrate.kept_calibration(run)
    validation = None if calibration is None or asked is None else _validation(run, selection)
    look = None if opening is None else opening()
    pace = Pace(requests.check)
    predictions = predict(module, batches, rows, device, tta=tta, between=pace)
    weights = read_sums(run.checkpoints).get(BEST)
    if weights is not None:
        _forget_others(run, split, weights)
    predictions.write(run.predictions(split))
    summary = metrics.summarise(predictions, split) | {"tta": tta, "calibrated": None}
    if look is not None:
        summary["look"] = look.named
    if VIEWS[tta] > 1:
        summary["notes"].append(
            f"logits are means over {VIEWS[tta]} views of each image (inference.tta={tta})"
        )
    if split == "val":
        calibration, validation = calibrate.fit_calibration(run, predictions), predictions
    if calibration is None:
        summary["notes"].append("no temperature belongs to this checkpoint yet: evaluate it on val first")
    else:
        summary["calibrated"] = temperature.summarise_calibrated(
            predictions, split, calibration.temperature, calibration.fitted_on.split
        )
    if asked is not None:
        summary["checkpoint_sha256"] = weights
        scale = None if calibration is None else calibration.temperature
        summary["cancer"] = operating.summarise_cancer(predictions, split, validation, asked, scale)
        summary["speed"] = speed(module, batches, device, tta, pace, requests.check)
        summary["size"] = {
            "parameters": sum(parameter.numel() for parameter in module.model.parameters()),
            "checkpoint_bytes": (run.checkpoints / BEST).stat().st_size,
        }
    _merge(run.metrics, split, summary)
    title = selection.catalog.title
    figures.confusion(summary["confusion"], run.figures / f"confusion_{split}.png", split, title)
    figures.reliability(predictions, run.figures / f"reliability_{split}.png", split, title)
    return summary


def _validation(run: RunDir, selection: Selection) -> Predictions | None:
    """The stored predictions that the threshold is chosen on; None where there are none."""
    path = run.predictions("val")
    if not path.exists():
        return None
    way = f"predict them anew: scripts/inv evaluate --run {run.id} --split val"
    try:
        found = Predictions.read(path)
    except DataError as error:
        raise DataError(error.problems, way) from error
    if set(found.sha256) != {row.sha256 for row in selection.rows["val"]}:
        raise DataError(f"{path}: not of the val images of {selection.catalog.name}", way)
    return found


def _forget_others(run: RunDir, split: str, weights: str) -> None:
    """Remove what earlier weights than these said of other splits; the ledger keeps their looks."""
    document = _recorded(run.metrics)
    told = document["splits"]
    outdated = [
        other
        for other, its in told.items()
        if other != split and its.get("checkpoint_sha256") not in {None, weights}
    ]
    if not outdated:
        return
    for other in outdated:
        for path in (
            run.predictions(other),
            run.figures / f"confusion_{other}.png",
            run.figures / f"reliability_{other}.png",
        ):
            path.unlink(missing_ok=True)
        del told[other]
    files.write_json(run.metrics, document)
    screen.note(f"{run.id}: what earlier weights said of {' and '.join(outdated)} is removed")


def _merge(path: Path, split: str, summary: dict[str, Any]) -> None:
    document = _recorded(path)
    document["splits"][split] = summary
    files.write_json(path, document)


def _recorded(path: Path) -> dict[str, Any]:
    """`metrics.json` as it stands; an empty one where there is none."""
    document: dict[str, Any] = {"schema_version": 1, "splits": {}}
    if path.exists():
        document = files.read_json(path)
    splits = document.get("splits") if isinstance(document, dict) else None
    if not isinstance(splits, dict) or not all(isinstance(its, dict) for its in splits.values()):
        raise DataError(f"{path}: `splits` is no table", "move the file away, and evaluate each split again")
    return document
