"""The checklist: what a record is asked for, by whom, and how much each point weighs."""

from collections.abc import Callable
from dataclasses import dataclass

from ctexp.checklist import naming, outcome, recipe, source, surroundings
from ctexp.checklist.answers import Answer
from ctexp.checklist.evidence import Evidence


@dataclass(frozen=True)
class Point:
    """Something a record is asked for.

    Attributes:
        id: its name.
        weight: its points of a hundred.
        asked: the rule that looks for it.
        asks: what a full answer has.
        vital: whether a run without it cannot be made again, or not be believed.
    """

    id: str
    weight: int
    asked: Callable[[Evidence], Answer]
    asks: str
    vital: bool = False


@dataclass(frozen=True, kw_only=True)
class Mark(Answer):
    """How much of a point a run's record has."""

    point: Point

    @property
    def critical(self) -> bool:
        """Whether the run cannot be made again, or not be believed, for want of this."""
        return self.point.vital and self.share is not None and self.share < 0.5


POINTS: tuple[Point, ...] = (
    Point("commit", 12, source.commit, "the commit is named, and this repository has it", vital=True),
    Point(
        "changes", 10, source.changes, "nothing was uncommitted, or all of it is kept as a patch", vital=True
    ),
    Point("seed", 8, recipe.seed, "the seed is recorded, and the one the configuration has", vital=True),
    Point(
        "configuration",
        10,
        recipe.configuration,
        "every setting as it was, first weights named by content",
        vital=True,
    ),
    Point(
        "data",
        10,
        recipe.data,
        "catalog and split are named by content, and DVC can bring them back",
        vital=True,
    ),
    Point(
        "environment", 8, surroundings.environment, "every package with its version, and Python's", vital=True
    ),
    Point("hardware", 5, surroundings.hardware, "processor, memory, GPU, driver, and which of them computed"),
    Point(
        "checkpoints",
        10,
        outcome.checkpoints,
        "the best weights are there, and are what their hash says",
        vital=True,
    ),
    Point("preprocessing", 6, recipe.preprocessing, "how an image became the network's input"),
    Point("learning rate", 4, outcome.learning_rate, "in every row of the history"),
    Point(
        "validation",
        7,
        outcome.validation,
        "loss and chosen metric in every row, final metrics with intervals",
    ),
    Point("logging interval", 3, outcome.logging_interval, "a row for every epoch, none missing"),
    Point("name", 3, naming.name, "run.name says what was tried"),
    Point("tags", 2, naming.tags, "tags, a description or a plan say what it belongs to"),
    Point("sizes", 2, outcome.sizes, "the directory holds no more than it is for"),
)
"""In the order of the question how a run comes about; together a hundred."""
