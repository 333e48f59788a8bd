"""Which runs a person means: one, all of a name, the folds of a cross-validation, the trials of a sweep."""

from pathlib import Path

from ctexp.core.errors import DataError
from ctexp.monitor.neighbours import Neighbours
from ctexp.record import baselines
from ctexp.record.cross_validation import CrossValidationDir
from ctexp.record.find import find_either
from ctexp.record.subjects import subject


def meant(root: Path, others: Neighbours, said: str, best_by: str) -> list[str]:
    """The ids of the runs that a word means, newest first, whatever state they are in.

    Args:
        root: the project's folder.
        others: all runs.
        said: an id or its beginning, a path, a `run.name`, `best`, `baseline`, `latest`, a cross-validation
            or a sweep.
        best_by: the metric that makes a run the best.

    Raises:
        UsageError: the beginning of several ids.
        DataError: nothing is meant.
    """
    runs = others.runs
    if said in {"best", "baseline"}:
        found = subject(runs, said, best_by=best_by, baseline=baselines.current(root))
        return [run.id for run in found.runs]
    known = [one.id for one in others.every]
    if said in known:
        return [said]
    named = [one.id for one in others.every if one.name == said and one.parent is None]
    children = [one.id for one in others.every if one.parent == said]
    if named or children:
        return named or children
    place = find_either(runs, said)
    if not isinstance(place, CrossValidationDir):
        if place.id not in known:
            raise DataError(f"{said}: not a run of {runs}", "name one of this project's")
        return [place.id]
    folds = [one.id for one in others.every if one.parent == place.id]
    if not folds:
        raise DataError(f"{place.id}: no fold has begun")
    return folds
