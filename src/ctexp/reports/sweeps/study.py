"""All that the page of a sweep says, read once."""

from dataclasses import dataclass
from datetime import datetime

from ctexp.core.errors import DataError
from ctexp.record.manifest import Manifest
from ctexp.sweeps.reading.importance import Importance, importance
from ctexp.sweeps.reading.opened import Opened
from ctexp.sweeps.reading.standing import Standing, standing
from ctexp.sweeps.reading.status import Status, status
from ctexp.sweeps.reading.summary import Summary, summarised


@dataclass(frozen=True)
class Study:
    """A sweep as its page tells it.

    Attributes:
        standing: None where no trial has finished.
        synthetic: whether a program drew the images; they show no patient then.
        moment: when it was read.
    """

    opened: Opened
    standing: Standing | None
    summary: Summary
    importance: Importance
    status: Status
    synthetic: bool
    moment: datetime


def study(opened: Opened, alpha: float, moment: datetime) -> Study:
    """Find out.

    Args:
        opened: the sweep.
        alpha: how often a winner may be called one that is none.
        moment: now.
    """
    found = standing(opened, alpha)
    return Study(
        opened,
        found,
        summarised(opened, found),
        importance(opened),
        status(opened, moment),
        _synthetic(opened),
        moment,
    )


def _synthetic(opened: Opened) -> bool:
    """What the first run that can be read says of the data set, which all have in common."""
    for row in opened.rows:
        for run in opened.members(row).values():
            try:
                return Manifest.read(run.manifest).dataset.synthetic
            except DataError:
                continue
    return False
