"""`cross-validate`: every fold a run, and every image judged by networks that have not seen it."""

import json as json_library
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ctexp.cli import fold_tables
from ctexp.cli.fold_checks import Asked, checked, composed_of, folds_of, preview
from ctexp.cli.train import heed_changes
from ctexp.config.compose import Composed, paths_of, resolve_paths
from ctexp.core import clock, files, screen
from ctexp.core.errors import CriterionNotMet, DataError, UsageError
from ctexp.core.paths import project_root, shown
from ctexp.data.catalog import Catalog
from ctexp.data.splits.schemes import Split
from ctexp.record import git
from ctexp.record.cross_validation import CrossValidation, CrossValidationDir, Fold
from ctexp.record.ledger import count_cross_validation
from ctexp.record.manifest import Origin, command_line
from ctexp.record.subjects import JUDGED
from ctexp.training.folds.cross_validation import Folds, resume_command
from ctexp.training.kernel.stopping import StopRequests


def cross_validate(
    override: Sequence[str], seeds: int, resume: str | None, yes: bool, json: bool, dry_run: bool = False
) -> int:
    """Train what is not trained yet of a cross-validation, and judge it; 0 only if every fold finished."""
    root = project_root()
    if resume is not None:
        place, record = _gone_on(root, resume, override, seeds, dry_run, yes)
    else:
        asked = checked(root, override, seeds)
        if dry_run:
            preview(asked, json)
            return 0
        place, record = _begun(asked, yes)
    composed = composed_of(root, record.overrides, record.seeds[0])
    data_dir, runs = paths_of(composed.settings.paths, root)
    catalog, split, _ = folds_of(root, data_dir, record.dataset)
    with place.lock() as lock, StopRequests() as requests:
        folds = Folds(place, lock, record, runs=runs, root=root, tell=screen.note)
        folds.train(requests)
        requests.let_finish()
        record = folds.record

        from ctexp.training.folds.measure_folds import measure_folds

        look = count_cross_validation(root, record, _official_test_images(record, catalog, split))
        document = measure_folds(
            place, record, catalog, split, runs, tta=composed.settings.inference.tta, look=look
        )
        told = fold_tables.text(record, document, place.path)
        files.write_text(place.summary, told)
    if json:
        screen.emit_json(record.document() | {"path": str(place.path), "metrics": document})
    else:
        print(told, end="")
    return _told(record, document)


def _begun(asked: Asked, yes: bool) -> tuple[CrossValidationDir, CrossValidation]:
    """A new one, its folder made."""
    data_dir, runs = asked.folders()
    heed_changes(git.capture(asked.root, [data_dir, runs]), asked.composed.settings.git.dirty, yes)
    files.probe_writable(runs)
    place = CrossValidationDir.create(runs, asked.name)
    flags = ["--seeds", str(len(asked.seeds))] if len(asked.seeds) > 1 else []
    record = CrossValidation(
        id=place.id,
        name=asked.name,
        created=clock.iso(clock.now()),
        command=command_line("cross-validate", [*asked.override, *flags]),
        overrides=asked.words.kept,
        config_sha256=_digest(asked.composed),
        dataset=asked.catalog.name,
        catalog_sha256=asked.catalog.sha256,
        split_sha256=asked.split_sha256,
        folds=asked.split.folds,
        seeds=asked.seeds,
        members=tuple(
            Fold(fold=fold, seed=seed) for seed in asked.seeds for fold in range(asked.split.folds)
        ),
        origin=Origin.of(os.environ),
    )
    record.write(place.record)
    screen.note(f"{asked.said()}: {shown(place.path)}")
    return place, record


def _gone_on(
    root: Path, selector: str, override: Sequence[str], seeds: int, dry_run: bool, yes: bool
) -> tuple[CrossValidationDir, CrossValidation]:
    """One that was begun before, with the configuration and data it began with.

    Raises:
        UsageError: more than its name was given.
        DataError: it is damaged, or its configuration, data set or split is another now.
    """
    if dry_run:
        raise UsageError("--resume trains; it takes no --dry-run", f"see `scripts/inv show {selector}`")
    if override or seeds != 1:
        what = repr(override[0]) if override else "--seeds"
        raise UsageError(f"--resume takes what the cross-validation began with, not {what}", "leave it out")
    place = CrossValidationDir.find(resolve_paths(root)[1], selector)
    record = CrossValidation.read(place.record)
    composed = composed_of(root, record.overrides, record.seeds[0])
    data_dir, runs = paths_of(composed.settings.paths, root)
    catalog, _, sha256 = folds_of(root, data_dir, record.dataset)
    changed = [
        f"{record.id}: {what} is not the one it began with"
        for what, now, then in (
            ("the configuration", _digest(composed), record.config_sha256),
            (f"the data set {record.dataset}", catalog.sha256, record.catalog_sha256),
            (f"the kfold split of {record.dataset}", sha256, record.split_sha256),
        )
        if now != then
    ]
    if changed:
        raise DataError(changed, "bring the old one back (git log), or cross-validate anew")
    if record.unfinished:
        heed_changes(git.capture(root, [data_dir, runs]), composed.settings.git.dirty, yes)
    else:
        screen.note(f"{record.id}: every fold is finished, there is nothing to train")
    return place, record


def _official_test_images(record: CrossValidation, catalog: Catalog, split: Split) -> int:
    """How many images that are officially of the test split the measured folds judge."""
    judged = {str(member.fold) for member in record.members if member.state in JUDGED}
    return sum(row.split == "test" and split.part_of.get(row.image_id) in judged for row in catalog.rows)


def _digest(composed: Composed) -> str:
    """The hash of a configuration without what tells the members apart."""
    resolved = {**composed.resolved, "seed": None, "data": {**composed.resolved["data"], "fold": None}}
    return files.sha256_bytes(json_library.dumps(resolved, sort_keys=True, separators=(",", ":")).encode())


def _told(record: CrossValidation, document: Mapping[str, Any] | None) -> int:
    """Name what comes next, or what has not finished; the exit code."""
    if not record.unfinished:
        screen.note(f"see it again: scripts/inv show {record.id}")
        screen.note(f"see where it is wrong: scripts/inv analyze-errors --run {record.id}")
        return 0
    problems = [
        f"fold {member.fold}, seed {member.seed} {member.state}"
        f"{f' ({member.run_id})' if member.run_id else ''}{f': {member.problem}' if member.problem else ''}"
        for member in record.unfinished
    ]
    if document is None:
        problems.append("no fold has predictions: there is nothing to judge")
    error = CriterionNotMet(problems, resume_command(record.id))
    for line in error.lines():
        screen.note(line)
    return error.exit_code
