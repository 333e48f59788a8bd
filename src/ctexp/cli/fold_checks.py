"""What is asked of a cross-validation, everything checked before anything is made; and what it would cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ctexp.cli.costs import cost
from ctexp.config.compose import Composed, compose, paths_of
from ctexp.config.folds import FoldWords
from ctexp.core import clock, screen
from ctexp.core.errors import UsageError
from ctexp.core.paths import splits_folder
from ctexp.core.wording import many
from ctexp.data import catalog as catalogs
from ctexp.data.catalog import Catalog
from ctexp.data.selection import Selection, select
from ctexp.data.splits import split_file
from ctexp.data.splits.schemes import Split
from ctexp.planning import estimates
from ctexp.planning.past import Job, Past
from ctexp.record.environment import computes_on
from ctexp.record.manifest import command_line
from ctexp.training.dataset import features_of

_MOST_SEEDS = 1000
"""More would be a slip of the keyboard; the record lists every fold of every one."""


@dataclass(frozen=True)
class Asked:
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
        """What it and its runs are called."""
        return self.composed.settings.run.name or self.composed.settings.model.name

    @property
    def trainings(self) -> int:
        """How many runs there will be."""
        return self.split.folds * len(self.seeds)

    def folders(self) -> tuple[Path, Path]:
        """Those of the data and of all runs."""
        return paths_of(self.composed.settings.paths, self.root)

    def said(self) -> str:
        """`5 folds, 3 seeds`."""
        return f"{many(self.split.folds, 'fold')}, {many(len(self.seeds), 'seed')}"


def checked(root: Path, override: Sequence[str], seeds: int) -> Asked:
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
    catalog, split, sha256 = folds_of(root, data_dir, settings.data.name)
    selections = [
        select(data_dir, splits_folder(root), catalog.name, "kfold", fold, settings.data.sample)
        for fold in range(split.folds)
    ]
    for selection in selections:
        features_of(settings, selection, data_dir, root)
    numbers = tuple(range(settings.seed, settings.seed + seeds))
    return Asked(root, tuple(override), words, composed, catalog, split, sha256, selections[0], numbers)


def preview(asked: Asked, json: bool) -> None:
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


def composed_of(root: Path, overrides: Sequence[str], seed: int) -> Composed:
    """The configuration of the first fold."""
    return compose([*overrides, "data.split=kfold", "data.fold=0", f"seed={seed}"], root)


def folds_of(root: Path, data_dir: Path, dataset: str) -> tuple[Catalog, Split, str]:
    """The data set, its folds, and the hash of the text that says them.

    Raises:
        DataError: there is no data set or no kfold split of it, or a fold lacks a class.
    """
    catalog = catalogs.load(data_dir, dataset)
    split, sha256 = split_file.find(splits_folder(root), catalog, "kfold")
    for fold in range(split.folds):
        split.for_training(catalog, fold)
    return catalog, split, sha256
