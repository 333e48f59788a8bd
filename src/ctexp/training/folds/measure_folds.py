"""From the runs of a cross-validation to the numbers and pictures of all its images, and to an ensemble."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ctexp.core import files
from ctexp.core.errors import DataError
from ctexp.core.wording import many
from ctexp.data.catalog import Catalog
from ctexp.data.splits.schemes import Split
from ctexp.evaluation import figures, metrics, out_of_fold, temperature
from ctexp.evaluation.out_of_fold import OOF, Member
from ctexp.evaluation.predictions import Predictions
from ctexp.record.calibration import Calibration
from ctexp.record.checkpoint_files import BEST
from ctexp.record.cross_validation import (
    CrossValidation,
    CrossValidationDir,
    EnsembleList,
    EnsembleMember,
)
from ctexp.record.look import Look
from ctexp.record.run_dir import RunDir
from ctexp.training.judging import calibrate

_JUDGED = {"finished", "timeout"}  # both end on their best checkpoint, measured


def measure_folds(
    place: CrossValidationDir,
    record: CrossValidation,
    catalog: Catalog,
    split: Split,
    runs: Path,
    *,
    tta: str,
    look: Look | None = None,
) -> dict[str, Any] | None:
    """Put the folds' validation predictions together, and write all that follows from them.

    Args:
        place: the cross-validation's folder.
        record: what its members have come to.
        catalog: the data set.
        split: its folds.
        runs: the folder of all runs.
        tta: the views that predictions are means over.
        look: that at official test images, where there are any among them.

    Returns:
        The document in `metrics.json`; None where no member has predictions yet, and nothing is written.

    Raises:
        DataError: the members' predictions do not fit together.
        StorageError: the disk is full.
    """
    members, problems = _predictions(record, runs)
    if not members:
        return None
    twice = out_of_fold.judged_twice(members)
    if twice:
        raise DataError(twice, "its folds are no folds: cross-validate anew")
    whole = out_of_fold.averaged(members.values())
    calibration = _calibration(members, whole)
    coverage = _coverage(record, catalog, split, members, whole)
    ensemble, gone = _ensemble(record, members, runs, calibration)
    summary = metrics.summarise(whole, OOF) | {"tta": tta, "look": look.named if look else None}
    summary["notes"] += [*_notes(record, coverage), *problems, *gone]
    summary["calibrated"] = _calibrated(members, calibration)
    document = {
        "schema_version": 1,
        "splits": {OOF: summary},
        "spread": out_of_fold.spread(members),
        "coverage": coverage,
    }
    whole.write(place.predictions)
    calibration.write(place.calibration)
    ensemble.write(place.ensemble)
    files.write_json(place.metrics, document)
    figures.confusion(
        summary["confusion"], place.figures / f"confusion_{OOF}.png", "out of fold", catalog.title
    )
    figures.reliability(whole, place.figures / f"reliability_{OOF}.png", "out of fold", catalog.title)
    return document


def _predictions(record: CrossValidation, runs: Path) -> tuple[dict[Member, Predictions], list[str]]:
    """The validation predictions of every measured member, and what is wrong with those left out."""
    found, problems = {}, []
    for member in record.members:
        if member.run_id is None or member.state not in _JUDGED:
            continue
        try:
            found[member.fold, member.seed] = Predictions.read(
                RunDir(runs / member.run_id).predictions("val")
            )
        except DataError as error:
            problems += [f"left out: {problem}" for problem in error.problems]
    return found, problems


def _calibration(members: Mapping[Member, Predictions], whole: Predictions) -> Calibration:
    """One temperature for all members: each judged images it has not seen, and together they are many."""
    found = temperature.fit(*out_of_fold.pooled(members.values()))
    method = f"{temperature.METHOD}, over the out-of-fold logits of all members"
    return calibrate.document(found, whole, OOF, method)


def _calibrated(members: Mapping[Member, Predictions], calibration: Calibration) -> dict[str, Any]:
    """As the ensemble does with the members that have not seen an image: calibrated first, then averaged."""
    scaled = out_of_fold.averaged(members.values(), calibration.temperature)
    told = temperature.summarise_calibrated(scaled, OOF, 1.0, OOF)
    return told | {"temperature": calibration.temperature}


def _coverage(
    record: CrossValidation,
    catalog: Catalog,
    split: Split,
    members: Mapping[Member, Predictions],
    whole: Predictions,
) -> dict[str, Any]:
    """Which images were judged out of fold, and which were not."""
    judged = set(whole.image_id)
    official = Counter(row.split for row in catalog.rows if row.image_id in judged)
    return {
        "images": len(judged),
        "of": len(split.part_of),
        "by_official_split": dict(official),
        "missing": sorted(set(split.part_of) - judged),
        "excluded": sum(row.excluded for row in catalog.rows),
        "seeds_of_fold": {
            str(fold): sorted(seed for its_fold, seed in members if its_fold == fold)
            for fold in range(record.folds)
        },
    }


def _notes(record: CrossValidation, coverage: Mapping[str, Any]) -> list[str]:
    """What the figures cover, and what they are not."""
    official, missing = coverage["by_official_split"], coverage["missing"]
    listed = ", ".join(f"{count} officially {split}" for split, count in sorted(official.items()))
    notes = [f"{coverage['images']} of {coverage['of']} images judged out of fold: {listed}"]
    if missing:
        named = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
        notes.append(f"{many(len(missing), 'image')} not judged ({named}; all are named in metrics.json)")
    short = [
        f"fold {fold} rests on {len(seeds)} of {len(record.seeds)} seeds"
        for fold, seeds in coverage["seeds_of_fold"].items()
        if 0 < len(seeds) < len(record.seeds)
    ]
    notes += short
    if official.get("test"):
        notes.append(
            "official test images are among them: what is chosen by these figures has looked at that split"
        )
    notes.append("each fold chose its best epoch on the images it is judged by: the figures flatter a little")
    return notes


def _ensemble(
    record: CrossValidation, members: Mapping[Member, Predictions], runs: Path, calibration: Calibration
) -> tuple[EnsembleList, list[str]]:
    """The measured members with the hashes of their checkpoints, and a line for each that has none."""
    run_of = {(member.fold, member.seed): member.run_id or "" for member in record.members}
    found, gone = [], []
    for fold, seed in members:
        run_id = run_of[fold, seed]
        checkpoint = RunDir(runs / run_id).checkpoints / BEST
        if not checkpoint.is_file():
            gone.append(f"{run_id}: its best checkpoint is gone, it is not in the ensemble")
            continue
        found.append(
            EnsembleMember(
                fold=fold,
                seed=seed,
                run_id=run_id,
                checkpoint=str(checkpoint.relative_to(runs)),
                sha256=files.sha256_file(checkpoint),
                temperature=calibration.temperature,
            )
        )
    return EnsembleList(id=record.id, members=tuple(found)), gone
