"""What a rule of the checklist answers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """How much of a point a run's record has.

    Attributes:
        share: 0 to 1; None where it cannot be asked of this run, or not yet.
        said: what was found, without what is peculiar to the run.
        detail: that; empty where there is nothing.
        fix: the command or code that mends it for this run or the next ones; `{run}`, `{command}` and
            `{data}` stand for the run's id, its command and its data set. Empty where nothing is wrong.
    """

    share: float | None
    said: str
    detail: str = ""
    fix: str = ""


def full(said: str, detail: str = "") -> Answer:
    """All of it is there."""
    return Answer(1.0, said, detail)


def partly(share: float, said: str, fix: str, detail: str = "") -> Answer:
    """Less than all of it is there."""
    return Answer(share, said, detail, fix)


def open_still(why: str) -> Answer:
    """It cannot be asked."""
    return Answer(None, why)
