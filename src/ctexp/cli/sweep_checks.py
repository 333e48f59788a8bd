"""What is asked of a sweep, everything checked before anything is made."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ctexp.cli import sweep_costs
from ctexp.cli.sweep_costs import Cost
from ctexp.config.compose import Composed, paths_of, resolve_paths
from ctexp.core import durations
from ctexp.core.errors import CtexpError, DataError, UsageError
from ctexp.core.paths import shown, splits_folder
from ctexp.data.selection import Selection, select
from ctexp.data.splits import split_file
from ctexp.planning.checking.images import ImagesOf
from ctexp.planning.past import Past
from ctexp.record.manifest import command_line
from ctexp.sweeps.file.composing import Trials
from ctexp.sweeps.file.grid import size
from ctexp.sweeps.file.load import load, locate
from ctexp.sweeps.file.spec import Member, Spec


@dataclass(frozen=True)
class Asked:
    """A sweep that can be made.

    Attributes:
        file: as a person here would type it.
        path: the same, absolute.
        overrides: as typed.
        command: as typed, to paste.
        budget: seconds; None for no limit.
        first: the configuration of the first of the trials that stand for all.
        composed: those of all of them.
        members: what each trial trains.
        count: trials at most; None for no end.
        notes: what a reader should know of its data, and of pruning that never happens.
    """

    root: Path
    spec: Spec
    trials: Trials
    file: str
    path: Path
    overrides: tuple[str, ...]
    command: str
    budget: float | None
    first: Composed
    composed: tuple[Composed, ...]
    members: tuple[Member, ...]
    selection: Selection
    data_dir: Path
    runs: Path
    count: int | None
    images: ImagesOf
    notes: tuple[str, ...]

    def cost(self) -> Cost:
        """What it costs, by the runs there are by now.

        Raises:
            DataError: the folder of the runs cannot be read.
        """
        return sweep_costs.cost(
            self.composed,
            self.images,
            Past.load(self.runs),
            trials=self.count,
            trainings=len(self.members),
            budget=self.budget,
        )


def checked(root: Path, override: Sequence[str], config: str, budget: str | None) -> Asked:
    """Read the file, compose its trials, look at their data.

    Args:
        root: the project's folder.
        override: of the command line.
        config: the file, or the name of one in `conf/sweep`.
        budget: a duration that wins over the file's.

    Raises:
        UsageError: the file, or the configuration of a trial, is wrong; every problem with its line.
        DataError: images, features or splits that trials need are missing or damaged.
    """
    path = locate(root, config)
    spec = load(path, shown(path), override)
    seconds = spec.budget_seconds if budget is None else _seconds(budget)
    trials = Trials(root, spec, override)
    if problems := trials.problems():
        raise UsageError(problems)
    composed = tuple(trials.composed(values) for values in trials.looked_at)
    first = composed[0]
    data_dir, runs = paths_of(first.settings.paths, root)
    if runs != resolve_paths(root)[1]:
        raise UsageError("paths.runs: agents look for the sweep where conf/ says; set it there")
    images = ImagesOf(root)
    notes = (*_notes(images, composed), *_never(spec, composed))
    data = first.settings.data
    selection = select(
        data_dir, splits_folder(root), data.name, data.split, data.fold, data.sample, hashed=False
    )
    if spec.folds is not None:
        _check_folds(root, spec.folds, selection)
    flags = [f"--config={config}", *([] if budget is None else [f"--budget={budget}"])]
    return Asked(
        root=root,
        spec=spec,
        trials=trials,
        file=shown(path),
        path=path,
        overrides=tuple(override),
        command=command_line("sweep", [*flags, *override]),
        budget=seconds,
        first=first,
        composed=composed,
        members=spec.members(first.settings.seed),
        selection=selection,
        data_dir=data_dir,
        runs=runs,
        count=_count(spec),
        images=images,
        notes=notes,
    )


def _seconds(budget: str) -> float:
    """The seconds of `--budget`."""
    try:
        found = durations.seconds(budget)
    except UsageError as error:
        raise UsageError(f"--budget: {error}", error.hint) from None
    if not found:
        raise UsageError(f"--budget: {budget!r} is no time at all")
    return found


def _notes(images: ImagesOf, composed: Sequence[Composed]) -> tuple[str, ...]:
    """What a reader should know of the data of the trials.

    Raises:
        UsageError: they are judged by different images.
        DataError: anything of it is missing or damaged; all of it at once.
    """
    missing: dict[str, str] = {}
    notes: dict[str, None] = {}
    for one in composed:
        try:
            notes |= dict.fromkeys((*images.read(one, "train").warnings, *images.features(one, "train")))
        except UsageError:
            raise
        except CtexpError as error:
            missing |= dict.fromkeys(error.problems, error.hint)
    if missing:
        raise DataError(list(missing), next(iter(missing.values())))
    judged = {read.identity: read.said for read in (images.read(one, "train") for one in composed)}
    if len(judged) > 1:
        raise UsageError(
            f"trials are judged by different images ({'; '.join(sorted(judged.values()))}): "
            "which of them is best would not follow from their values",
            "make a sweep of each",
        )
    return tuple(notes)


def _never(spec: Spec, composed: Sequence[Composed]) -> Iterator[str]:
    """What is said of pruning that no training lasts long enough for."""
    most = max(one.settings.trainer.max_epochs for one in composed)
    if spec.early is not None and spec.early.min_epochs >= most:
        yield (
            f"{spec.shown}: no trial will be ended early: that begins at epoch {spec.early.min_epochs}, "
            f"and a training has {most} (trainer.max_epochs)"
        )


def _check_folds(root: Path, folds: int, selection: Selection) -> None:
    """Refuse a sweep over more folds than there are, or over one that lacks a class.

    Raises:
        DataError: see above.
    """
    catalog = selection.catalog
    split, _ = split_file.find(splits_folder(root), catalog, "kfold")
    if folds > split.folds:
        raise DataError(
            f"ctexp.folds: {folds}, but the kfold split of {catalog.name} has {split.folds}",
            f"write at most {split.folds}, or split anew: "
            f"scripts/inv data-split --dataset {catalog.name} --scheme kfold --folds {folds}",
        )
    for fold in range(folds):
        split.for_training(catalog, fold)


def _count(spec: Spec) -> int | None:
    """As many trials as there are different ones, and no more than the cap; None for no end."""
    return min((count for count in (size(spec.space), spec.run_cap) if count is not None), default=None)
