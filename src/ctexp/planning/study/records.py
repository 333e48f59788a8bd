"""What there is to make a study of: single trainings, and cross-validations as wholes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ctexp.core.errors import DataError
from ctexp.core.wording import some
from ctexp.planning.study.sets import ImageSet, of_run
from ctexp.record import index
from ctexp.record.cross_validation import FOLDER, CrossValidation, CrossValidationDir
from ctexp.record.index import RunSummary
from ctexp.record.run_dir import RUN_ID
from ctexp.record.subjects import JUDGED


@dataclass(frozen=True)
class Folds:
    """A cross-validation.

    Attributes:
        record: as it stands in its folder.
        images: all that it judges, the folds together.
        judged: its runs of the seeds of which every fold is judged, by seed and fold.
        lost: its runs that ended in another way.
    """

    record: CrossValidation
    images: ImageSet
    judged: tuple[RunSummary, ...]
    lost: tuple[RunSummary, ...]

    @property
    def id(self) -> str:
        """The cross-validation's id."""
        return self.record.id


@dataclass(frozen=True)
class Records:
    """Everything that was trained.

    Attributes:
        judged: single trainings that were measured at their end, newest first.
        lost: those that ended in another way, likewise.
        folds: cross-validations of which at least one seed is whole, newest first.
        parents: run -> the cross-validation it is a fold of.
        notes: what is left out of all this, one line each.
    """

    judged: tuple[RunSummary, ...]
    lost: tuple[RunSummary, ...]
    folds: tuple[Folds, ...]
    parents: Mapping[str, str]
    notes: tuple[str, ...]


def read(runs: Path) -> Records:
    """All of a folder; nothing where it is missing.

    Raises:
        DataError: the folder itself cannot be read.
    """
    every = index.list_runs(runs)
    running = [run.id for run in every if run.state == "running"]
    ended = [run for run in every if run.state != "running"]
    sound = [run for run in ended if of_run(run) and run.state != "unreadable" and run.seed is not None]
    damaged = {run.id for run in ended} - {run.id for run in sound}
    notes = [
        f"{what}, left out: {some(sorted(ids, key=stamp, reverse=True))}"
        for what, ids in (("damaged records", damaged), ("still running", running))
        if ids
    ]
    folds, said = _cross_validations(runs, {run.id: run for run in sound})
    single = [run for run in sound if run.parent is None]
    return Records(
        judged=tuple(run for run in single if run.state in JUDGED),
        lost=tuple(run for run in single if run.state not in JUDGED),
        folds=folds,
        parents={run.id: run.parent for run in every if run.parent is not None},
        notes=(*notes, *said),
    )


def _cross_validations(runs: Path, by_id: Mapping[str, RunSummary]) -> tuple[tuple[Folds, ...], list[str]]:
    found, notes = [], []
    ids = [path.name for path in (runs / FOLDER).glob("*") if RUN_ID.fullmatch(path.name)]
    for name in sorted(ids, key=stamp, reverse=True):
        try:
            record = CrossValidation.read(CrossValidationDir(runs / FOLDER / name).record)
        except DataError as error:
            notes += [f"{problem}, left out" for problem in error.problems]
            continue
        ended = {
            (member.seed, member.fold): run
            for member in record.members
            if (run := by_id.get(member.run_id or "")) is not None
        }
        judged = {key: run for key, run in ended.items() if run.state in JUDGED}
        whole = [seed for seed in record.seeds if sum(key[0] == seed for key in judged) == record.folds]
        kept = tuple(run for (seed, _), run in sorted(judged.items()) if seed in whole)
        images = of_run(kept[0], whole=True) if kept else None
        if images is None:
            notes.append(
                f"{name}: only {len(judged)} of {len(record.members)} folds are judged, left out; finish it: "
                f"scripts/inv cross-validate --resume {name}"
            )
        else:
            lost = tuple(run for run in ended.values() if run.state not in JUDGED)
            found.append(Folds(record, images, kept, lost))
            if len(whole) < len(record.seeds):
                notes.append(f"{name}: {len(whole)} of {len(record.seeds)} seeds are whole, others left out")
    return tuple(found), notes


def stamp(run_id: str) -> tuple[str, str]:
    """What a run or a cross-validation is sorted by: when it was begun, then its id."""
    match = RUN_ID.fullmatch(run_id)
    return match["stamp"] if match else "", run_id
