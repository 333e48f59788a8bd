"""`cross-validate`: every fold a run, and every image judged by networks that have not seen it."""

import json as json_library
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ctexp.cli import fold_tables
from ctexp.cli.costs import cost
from ctexp.cli.train import heed_changes
from ctexp.config.compose import Composed, compose, paths_of, resolve_paths
from ctexp.config.folds import FoldWords
from ctexp.core import clock, files, screen
from ctexp.core.errors import CriterionNotMet, DataError, UsageError
from ctexp.core.paths import project_root, shown, splits_folder
from ctexp.core.wording import many
from ctexp.data import catalog as catalogs
from ctexp.data.catalog import Catalog
from ctexp.data.selection import Selection, select
from ctexp.data.splits import split_file
from ctexp.data.splits.schemes import Split
from ctexp.planning import estimates
from ctexp.planning.past import Job, Past
from ctexp.record import git
from ctexp.record.cross_validation import CrossValidation, CrossValidationDir, Fold
from ctexp.record.environment import computes_on
from ctexp.record.ledger import count_cross_validation
from ctexp.record.manifest import Origin, command_line
from ctexp.record.subjects import JUDGED
from ctexp.training.dataset import features_of
from ctexp.training.folds.cross_validation import Folds, resume_command
from ctexp.training.kernel.stopping import StopRequests

_MOST_SEEDS = 1000
"""More would be a slip of the keyboard; the record lists every fold of every one."""


def cross_validate(
    override: Sequence[str], seeds: int, resume: str | None, yes: bool, json: bool, dry_run: bool = False
) -> int:
    """Train what is not trained yet of a cross-validation, and judge it; 0 only if every fold finished."""
    root = project_root()
    if resume is not None:
        place, record = _gone_on(root, resume, override, seeds, dry_run, yes)
    else:
        asked = _checked(root, override, seeds)
        if dry_run:
            _preview(asked, json)
            return 0
        place, record = _begun(asked, yes)
    composed = _composed(root, record.overrides, record.seeds[0])
    data_dir, runs = paths_of(composed.settings.paths, root)
    catalog, split, _ = _folds(root, data_dir, record.dataset)
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


@dataclass(frozen=True)
class _Asked:
    """A cross-validation that can be made."""

    root: Path
    override: Sequence[str]
    words: FoldWords
    composed: Composed
    catalog: Catalog
    split: Split
    split_sha256: str
    first: Selection
    seeds: tuple[int, ...]

    @property
    def name(self) -> str:
        return self.composed.settings.run.name or self.composed.settings.model.name

    @property
    def trainings(self) -> int:
        return self.split.folds * len(self.seeds)

    def folders(self) -> tuple[Path, Path]:
        """Those of the data and of all runs."""
        return paths_of(self.composed.settings.paths, self.root)

    def said(self) -> str:
        return f"{many(self.split.folds, 'fold')}, {many(len(self.seeds), 'seed')}"


def _checked(root: Path, override: Sequence[str], seeds: int) -> _Asked:
    """Compose it and look at its data; everything that would refuse a fold refuses here, once."""
    words = FoldWords.of(override)
    problems = list(words.problems)
    if not 1 <= seeds <= _MOST_SEEDS:
        problems.append(f"--seeds: {seeds} is not between 1 and {_MOST_SEEDS}")
    if problems:
        raise UsageError(problems)
    composed = compose(words.first, root)
    settings = composed.settings
    if settings.seed + seeds > 2**32:
        raise UsageError(f"--seeds: {seeds} seeds from {settings.seed} on go beyond {2**32 - 1}")
    data_dir, _ = paths_of(settings.paths, root)
    catalog, split, sha256 = _folds(root, data_dir, settings.data.name)
    selections = [
        select(data_dir, splits_folder(root), catalog.name, "kfold", fold, settings.data.sample)
        for fold in range(split.folds)
    ]
    for selection in selections:
        features_of(settings, selection, data_dir, root)
    numbers = tuple(range(settings.seed, settings.seed + seeds))
    return _Asked(root, tuple(override), words, composed, catalog, split, sha256, selections[0], numbers)


def _preview(asked: _Asked, json: bool) -> None:
    """Say what it would be and cost; nothing is made."""
    accelerator = asked.composed.settings.trainer.accelerator
    train, val = (len(asked.first.rows[part]) for part in ("train", "val"))
    job = Job.of(asked.composed.resolved, computes_on(accelerator), train, val)
    each = estimates.from_history(Past.load(asked.folders()[1]), job)
    if json:
        screen.emit_json(
            {
                "name": asked.name,
                "dataset": asked.catalog.name,
                "folds": asked.split.folds,
                "seeds": list(asked.seeds),
                "trainings": asked.trainings,
                "estimate_of_each": each.model_dump(mode="json") if each else None,
                "seconds": each and round(each.seconds * asked.trainings, 3),
                "disk_bytes": each and each.disk_bytes and each.disk_bytes * asked.trainings,
            }
        )
        return
    print(f"{asked.name} on {asked.catalog.title}: {asked.said()} (not made: --dry-run)")
    if each is None:
        known = command_line("estimate", [*asked.words.kept, "data.split=kfold", "data.fold=0"])
        print(f"{many(asked.trainings, 'training')}; what each takes is not known: {known}")
        return
    room = f", {estimates.disk(each.disk_bytes * asked.trainings)}" if each.disk_bytes else ""
    took = f"{clock.duration(each.seconds * asked.trainings)}{room}"
    print(
        f"{many(asked.trainings, 'training')}, each {cost(each, accelerator)}: {took} in all ({each.basis})"
    )


def _begun(asked: _Asked, yes: bool) -> tuple[CrossValidationDir, CrossValidation]:
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
        raise UsageError(f"--resume takes what the cross-validation began with, not {what}", "leave it away")
    place = CrossValidationDir.find(resolve_paths(root)[1], selector)
    record = CrossValidation.read(place.record)
    composed = _composed(root, record.overrides, record.seeds[0])
    data_dir, runs = paths_of(composed.settings.paths, root)
    catalog, _, sha256 = _folds(root, data_dir, record.dataset)
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


def _composed(root: Path, overrides: Sequence[str], seed: int) -> Composed:
    """The configuration of the first fold."""
    return compose([*overrides, "data.split=kfold", "data.fold=0", f"seed={seed}"], root)


def _folds(root: Path, data_dir: Path, dataset: str) -> tuple[Catalog, Split, str]:
    """The data set, its folds, and the hash of the text that says them.

    Raises:
        DataError: there is no data set or no kfold split of it, or a fold lacks a class.
    """
    catalog = catalogs.load(data_dir, dataset)
    split, sha256 = split_file.find(splits_folder(root), catalog, "kfold")
    for fold in range(split.folds):
        split.for_training(catalog, fold)
    return catalog, split, sha256


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
