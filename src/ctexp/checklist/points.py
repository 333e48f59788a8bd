"""The checklist: what a record is asked for, how much each point weighs, and what an answer looks like."""

from dataclasses import dataclass
from typing import Literal

PointId = Literal[
    "commit",
    "changes",
    "seed",
    "configuration",
    "data",
    "environment",
    "hardware",
    "checkpoints",
    "preprocessing",
    "learning rate",
    "validation",
    "logging interval",
    "name",
    "tags",
    "sizes",
]


@dataclass(frozen=True)
class Point:
    """Something a record is asked for.

    Attributes:
        weight: its points of a hundred.
        asks: what a full answer has.
        vital: whether a run without it cannot be made again, or not be believed.
    """

    id: PointId
    weight: int
    asks: str
    vital: bool = False


POINTS: tuple[Point, ...] = (
    Point("commit", 12, "the commit is named, and this repository has it", vital=True),
    Point("changes", 10, "nothing was uncommitted, or all of it is kept as a patch", vital=True),
    Point("seed", 8, "the seed is recorded, and the one the configuration has", vital=True),
    Point("configuration", 10, "every setting as it was, first weights named by content", vital=True),
    Point("data", 10, "catalog and split are named by content, and DVC can bring them back", vital=True),
    Point("environment", 8, "every package with its version, and Python's", vital=True),
    Point("hardware", 5, "processor, memory, GPU, driver, and which of them computed"),
    Point("checkpoints", 10, "the best weights are there, and are what their hash says", vital=True),
    Point("preprocessing", 6, "how an image became the network's input"),
    Point("learning rate", 4, "in every row of the history"),
    Point("validation", 7, "loss and chosen metric in every row, final metrics with intervals"),
    Point("logging interval", 3, "a row for every epoch, none missing"),
    Point("name", 3, "run.name says what was tried"),
    Point("tags", 2, "tags, a description or a plan say what it belongs to"),
    Point("sizes", 2, "the directory holds no more than it is for"),
)
"""In the order of the question how a run comes about; together a hundred."""

BY_ID: dict[str, Point] = {point.id: point for point in POINTS}


@dataclass(frozen=True)
class Mark:
    """How much of a point a run's record has.

    Attributes:
        share: 0 to 1; None where it cannot be asked of this run, or not yet.
        said: what was found, without what is peculiar to the run.
        detail: that; empty where there is nothing.
        fix: the command or code that mends it for this run or the next ones; `{run}`, `{command}` and
            `{data}` stand for the run's id, its command and its data set. Empty where nothing is wrong.
    """

    point: Point
    share: float | None
    said: str
    detail: str = ""
    fix: str = ""

    @property
    def critical(self) -> bool:
        """Whether the run cannot be made again, or not be believed, for want of this."""
        return self.point.vital and self.share is not None and self.share < 0.5


def full(point: PointId, said: str, detail: str = "") -> Mark:
    """All of it is there."""
    return Mark(BY_ID[point], 1.0, said, detail)


def partly(point: PointId, share: float, said: str, fix: str, detail: str = "") -> Mark:
    """Less than all of it is there."""
    return Mark(BY_ID[point], share, said, detail, fix)


def open_still(point: PointId, why: str) -> Mark:
    """It cannot be asked."""
    return Mark(BY_ID[point], None, why)
