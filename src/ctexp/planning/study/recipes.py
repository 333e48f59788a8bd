"""A recipe: one configuration, and the runs that were trained by it with different seeds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ctexp.record.index import RunSummary
from ctexp.record.run_dir import RunDir


@dataclass(frozen=True)
class Trained:
    """A judged run of a recipe."""

    seed: int
    run: RunDir
    summary: RunSummary


@dataclass(frozen=True)
class Recipe:
    """Trainings that differ by their seed alone.

    Attributes:
        title: what to call it: its `run.name` where that means it alone, else the id of its first run.
        words: the overrides that make it, without those of seed, name, folds and whatever else leaves an
            experiment the same.
        settings: its resolved configuration, flat: dotted key -> value.
        runs: the newest judged run of each seed, by seed; of a cross-validation all folds of all seeds.
        lost: runs of it that ended in another way: diverged, oom, failed, interrupted.
        cross_validation: the id of the cross-validation it is; None for single trainings.
    """

    title: str
    words: tuple[str, ...]
    settings: Mapping[str, Any] = field(hash=False)
    runs: tuple[Trained, ...]
    lost: tuple[RunSummary, ...] = ()
    cross_validation: str | None = None

    @cached_property
    def seeds(self) -> tuple[int, ...]:
        """Those it was trained with."""
        return tuple(dict.fromkeys(one.seed for one in self.runs))

    @property
    def cites(self) -> tuple[str, ...]:
        """What stands for it in a document: the ids of its runs, or of its cross-validation."""
        return (self.cross_validation,) if self.cross_validation else tuple(one.run.id for one in self.runs)
