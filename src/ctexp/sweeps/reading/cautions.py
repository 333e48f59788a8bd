"""What to know before believing what a sweep says: whether its best may be guessing, and of its images."""

import numpy as np

from ctexp.core.errors import CtexpError, DataError
from ctexp.evaluation import guessing
from ctexp.evaluation.out_of_fold import averaged
from ctexp.record.manifest import Dataset, Manifest
from ctexp.sweeps.reading.opened import Opened
from ctexp.sweeps.reading.standing import tables
from ctexp.sweeps.trials import Row


def cautions(opened: Opened, alpha: float) -> tuple[str, ...]:
    """One line each without a full stop, the gravest first.

    Args:
        opened: the sweep.
        alpha: how often guessing may be taken for knowledge.
    """
    known = images(opened)
    return (*_guesses(opened, alpha), *(f"the images: {line}" for line in (known.warnings if known else ())))


def images(opened: Opened) -> Dataset | None:
    """What the first run that can be read says of the images, which all have in common."""
    for row in opened.rows:
        for run in opened.members(row).values():
            try:
                return Manifest.read(run.manifest).dataset
            except DataError:
                continue
    return None


def _guesses(opened: Opened, alpha: float) -> tuple[str, ...]:
    """Whether labels dealt anew fit the best as well.

    It was chosen among all trials, so that it has to be surer of it the more there were (Bonferroni).
    """
    if not opened.ranked:
        return ()
    best, trials = opened.ranked[0], len(opened.ranked)
    try:
        p = _chance(opened, best)
    except CtexpError:
        return ()
    if p <= alpha / trials:
        return ()
    blind = sum(_of_one_class(opened, row) for row in opened.ranked)
    how = f"{blind} of {trials} finished trials give every image the same class; " if blind else ""
    of_many = f", and the best of {trials} has to be below {alpha / trials:.2g}" if trials > 1 else ""
    return (
        f"{how}the best, trial {best.number}, is not established to be better than guessing: "
        f"labels dealt anew fit its answers as well too often (p = {p:.2g}{of_many})",
    )


def _chance(opened: Opened, row: Row) -> float:
    """How often guessing would rank the images as well, one of each group; see `guessing.p_value`."""
    joint = averaged(tables(opened, row))
    firsts = np.sort(np.unique(np.array(joint.group), return_index=True)[1]).astype(np.int64)
    units = joint.at(firsts)
    return guessing.p_value(units.label, units.probabilities)


def _of_one_class(opened: Opened, row: Row) -> bool:
    """Whether each of its trainings gives all images one class; not where its answers cannot be read."""
    try:
        found = tables(opened, row)
    except CtexpError:
        return False
    return all(len(np.unique(table.logits.argmax(axis=1))) == 1 for table in found)
