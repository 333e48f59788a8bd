"""What a person means by a thing to compare: a run, all seeds of a name, the best run, a cross-validation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ctexp.core import yaml_file
from ctexp.core.dotted import flattened
from ctexp.core.errors import CtexpError, DataError, UsageError
from ctexp.core.metric_names import higher_is_better
from ctexp.core.wording import many
from ctexp.record import index
from ctexp.record.baselines import Baseline
from ctexp.record.cross_validation import FOLDER, CrossValidation, CrossValidationDir
from ctexp.record.find import find_either
from ctexp.record.index import Query
from ctexp.record.manifest import Dataset
from ctexp.record.run_dir import RUN_ID, RunDir

JUDGED = ("finished", "timeout")
"""States of runs that ended on their best checkpoint, measured."""

_IMAGES = ("catalog_sha256", "split", "split_sha256", "fold", "sample")
"""What two runs of one data set agree in that were judged on the same images."""

TIME_LIMIT = "trainer.max_minutes"
"""No part of what is tried: whom it has stopped is left out, and to all others it made no difference."""

SEED_KEYS = ("seed", "run.", "git.", "paths.", "logger.")
"""Settings that leave an experiment the same."""


@dataclass(frozen=True)
class Subject:
    """Trainings of one experiment, which differ by their seed alone.

    Attributes:
        said: what the user called it.
        title: what to call it: a run's id, a name, a cross-validation's id.
        runs: at least one, by seed; those of a cross-validation by seed and fold.
        place: the cross-validation, where it is one.
        notes: what was left out, one line each.
    """

    said: str
    title: str
    kind: Literal["run", "name", "cross-validation"]
    runs: tuple[RunDir, ...]
    place: CrossValidationDir | None = None
    notes: tuple[str, ...] = ()


class Unfinished(DataError):
    """What is meant is there, and no run of it has been judged; to scripts a DataError like any other."""

    @property
    def kind(self) -> str:
        """The name scripts match on."""
        return DataError.__name__


def subject(
    runs: Path,
    selector: str,
    *,
    best_by: str = "val/macro_f1",
    baseline: Baseline | None = None,
    like: Dataset | None = None,
    queue: str | None = None,
) -> Subject:
    """What `selector` means.

    Args:
        runs: the folder of all runs.
        selector: `best`, `latest`, `baseline`, the id of a run or of a cross-validation or the beginning of
            one, a path, or a `run.name`, which means all its judged runs.
        best_by: the validation metric that makes a run the best.
        baseline: what `baseline` stands for; None where there is none yet.
        like: the best of runs on these very images; None for the best of all.
        queue: whose runs are meant by a name, where it has some of that name: a plan's names come again
            every night. None for all.

    Raises:
        UsageError: several things are meant, or runs of the name differ by more than their seed.
        DataError: nothing is meant.
        Unfinished: it has not finished.
    """
    if selector == "baseline":
        return _current(runs, baseline)
    if selector == "best":
        return _single(_best(runs, best_by, like), selector)
    if RUN_ID.fullmatch(selector) and (runs / selector).is_dir():
        return _single(RunDir.open(runs / selector), selector)
    a_name = selector != "latest" and "/" not in selector
    experiments = Query(where={"name": selector, "parent": None})  # folds are a whole's parts
    if a_name and (named := index.select(runs, experiments)):
        return _seeds([run for run in named if queue and run.queue == queue] or named, selector)
    found = find_either(runs, selector)
    if isinstance(found, CrossValidationDir):
        return _folds(found, runs, selector)
    return _single(found, selector)


def _current(runs: Path, baseline: Baseline | None) -> Subject:
    """The runs that were promoted, whatever has been trained under their name since."""
    if baseline is None:
        raise DataError(
            "no baseline is set yet",
            "set one: scripts/inv compare-baselines --baseline A --candidate B --promote",
        )
    if baseline.kind == "cross-validation":
        return _folds(CrossValidationDir(runs / FOLDER / baseline.title), runs, "baseline")
    gone = [run for run in baseline.runs if not (runs / run).is_dir()]
    if gone:
        raise DataError(
            [f"{run}: a run of the baseline {baseline.title}, and no longer in {runs}" for run in gone],
            "bring it back, or name what to compare with: --baseline RUN",
        )
    found = tuple(RunDir(runs / run) for run in baseline.runs)
    return Subject("baseline", baseline.title, baseline.kind, found)


def _single(run: RunDir, said: str) -> Subject:
    reading = run.read()
    if reading.state not in JUDGED:
        raise Unfinished(
            f"{run.id}: {reading.state}, not finished",
            _resume(run.id) if reading.state == "interrupted" else "name another",
        )
    return Subject(said, run.id, "run", (run,))


def _resume(run_id: str) -> str:
    return f"finish it: scripts/inv train --resume {run_id}"


def _best(runs: Path, metric: str, like: Dataset | None) -> RunDir:
    """The first by a metric, of runs that stand for themselves."""
    images = {key: getattr(like, key) for key in _IMAGES} | {"dataset": like.name} if like else {}
    query = Query(
        where={"parent": None} | images,
        states=JUDGED,
        metric=metric,
        sort=metric,
        descending=higher_is_better(metric),
        limit=1,
    )
    for run in index.select(runs, query):
        return RunDir(run.path)
    where = f" on the images of {like.name} that the baseline was judged on" if like else ""
    raise DataError(f"best: no finished run has {metric}{where}", "train one: scripts/inv train")


def _seeds(named: Sequence[index.RunSummary], name: str) -> Subject:
    """The newest judged run of each seed."""
    newest: dict[int | None, index.RunSummary] = {}
    notes = []
    for run in named:  # newest first
        if run.state not in JUDGED:
            notes.append(f"{run.id}: {run.state}, left out")
        elif run.seed in newest:
            notes.append(f"{run.id}: an earlier run of seed {run.seed}, left out")
        else:
            newest[run.seed] = run
    if not newest:
        killed = [run.id for run in named if run.state == "interrupted"]
        hint = _resume(killed[0]) if killed else ""
        raise Unfinished(
            [f"{name}: no run of this name has finished ({many(len(named), 'run')} in all)", *notes], hint
        )
    of_seeds = [RunDir(newest[seed].path) for seed in sorted(newest, key=lambda seed: seed or 0)]
    short = shortened(of_seeds)
    notes += [f"{run.id}: it had less time than others of the name, left out" for run in short]
    chosen = tuple(run for run in of_seeds if run not in short)
    _refuse_differing(chosen, name)
    return Subject(name, name, "name", chosen, notes=tuple(notes))


def shortened(runs: Sequence[RunDir]) -> list[RunDir]:
    """Those that were given less time than others of them, and had not come to their end by then.

    A night shortens what does not fit into its window; beside whole trainings such a run says nothing. None
    where a configuration cannot be read, which whoever reads it for its own sake will tell.
    """
    stopped = [run for run in runs if run.state() == "timeout"]
    if not stopped or len(runs) == 1:
        return []
    try:
        minutes = {run.id: configuration(run).get(TIME_LIMIT) or math.inf for run in runs}
    except CtexpError:
        return []
    return [run for run in stopped if minutes[run.id] < max(minutes.values())]


def configuration(run: RunDir) -> dict[str, Any]:
    """Its settings, by dotted key.

    Raises:
        DataError: they cannot be read.
    """
    return flattened(yaml_file.read_mapping(run.config))


def _refuse_differing(runs: Sequence[RunDir], name: str) -> None:
    """Refuse runs of one name that are not one experiment."""
    try:
        first, *others = [configuration(run) for run in runs]
    except CtexpError as error:
        raise DataError(error.problems) from error
    problems = []
    for run, flat in zip(runs[1:], others, strict=True):
        keys = [key for key in differing_keys(first, flat) if key != TIME_LIMIT]
        if keys:
            problems.append(f"{name}: {run.id} differs from {runs[0].id} in {', '.join(keys)}")
    if problems:
        raise UsageError(problems, "name single runs by their ids, or give experiments names of their own")


def differing_keys(one: dict[str, object], other: dict[str, object]) -> list[str]:
    """Dotted keys in which two flat configurations differ, less those that leave an experiment the same."""
    return [
        key
        for key in sorted(one.keys() | other.keys())
        if not key.startswith(SEED_KEYS) and one.get(key) != other.get(key)
    ]


def _folds(place: CrossValidationDir, runs: Path, said: str) -> Subject:
    record = CrossValidation.read(place.record)
    found, notes = [], []
    for member in sorted(record.members, key=lambda one: (one.seed, one.fold)):
        if member.run_id is not None and member.state in JUDGED:
            found.append(RunDir(runs / member.run_id))
        else:
            notes.append(f"fold {member.fold}, seed {member.seed}: {member.state}, left out")
    if not found:
        raise Unfinished([f"{place.id}: none of its folds has finished", *notes])
    return Subject(said, place.id, "cross-validation", tuple(found), place, tuple(notes))
