"""Which runs a person means by a word: one, an experiment to judge, or all that it stands for."""

import os
from pathlib import Path

from ctexp.config import verdict
from ctexp.config.compose import resolve_paths
from ctexp.monitor.meant import meant
from ctexp.monitor.neighbours import Neighbours
from ctexp.record import baselines
from ctexp.record.cross_validation import CrossValidationDir
from ctexp.record.find import find_either, several
from ctexp.record.index import Query, select
from ctexp.record.manifest import Origin
from ctexp.record.run_dir import RunDir
from ctexp.record.subjects import Subject, subject


def best_by(root: Path) -> str:
    """The metric by which a run is the best."""
    return f"val/{verdict.load(root).primary}"


def experiment(root: Path, said: str) -> Subject:
    """What is judged: a run, all seeds of a name, a cross-validation.

    Raises:
        UsageError: several things are meant.
        DataError: nothing is, or nothing that has finished.
    """
    runs = resolve_paths(root)[1]
    tonight = Origin.of(os.environ).queue
    return subject(runs, said, best_by=best_by(root), baseline=baselines.current(root), queue=tonight)


def all_of(root: Path, others: Neighbours, said: str) -> list[str]:
    """The ids of all runs that are meant, newest first, whatever state they are in.

    Raises:
        UsageError: the beginning of several ids.
        DataError: nothing is meant.
    """
    return meant(root, others, said, best_by(root))


def the_one(root: Path, said: str) -> RunDir | CrossValidationDir:
    """The one thing that is meant, also a run that never finished.

    Args:
        root: the project's folder.
        said: a run's id, the beginning of one, a path, a name, `best`, `baseline`, `latest`, a
            cross-validation.

    Raises:
        UsageError: several runs are meant; they are listed.
        DataError: none is.
    """
    runs = resolve_paths(root)[1]
    if said in {"best", "baseline"}:
        judged = experiment(root, said)
        if judged.place is not None:
            return judged.place
        found = list(judged.runs)
    elif said == "latest" or "/" in said or (runs / said).is_dir():
        return find_either(runs, said)
    else:  # folds have the name of their cross-validation, and are its parts
        found = [RunDir(one.path) for one in select(runs, Query(where={"name": said, "parent": None}))]
    if len(found) > 1:
        raise several(said, [one.id for one in found], "name one")
    return found[0] if found else find_either(runs, said)
