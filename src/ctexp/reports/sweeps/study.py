"""All that the page of a sweep says, read once."""

from dataclasses import dataclass
from datetime import datetime

from ctexp.sweeps.reading.cautions import cautions, images
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
        cautions: what to know before believing it; see `cautions`.
        moment: when it was read.
    """

    opened: Opened
    standing: Standing | None
    summary: Summary
    importance: Importance
    status: Status
    synthetic: bool
    cautions: tuple[str, ...]
    moment: datetime


def study(opened: Opened, alpha: float, moment: datetime) -> Study:
    """Find out."""
    found, about = standing(opened, alpha), images(opened)
    return Study(
        opened,
        found,
        summarised(opened, found),
        importance(opened),
        status(opened, moment),
        about is not None and about.synthetic,
        cautions(opened, alpha),
        moment,
    )
