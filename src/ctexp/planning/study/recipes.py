"""A recipe: one configuration, and the runs that were trained by it with different seeds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ctexp.config.folds import FoldWords
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
        title: what to call it: its `run.name` where that means it alone, else the id of its newest run or
            cross-validation.
        words: the overrides that make it, without those of seed, name, folds and whatever else leaves an
            experiment the same.
        settings: its resolved configuration, flat: dotted key -> value; without those same settings. Of a
            cross-validation, that of its first fold.
        runs: the newest judged run of each seed, by seed; of a cross-validation all folds of all seeds.
        lost: runs of it that ended in another way: diverged, oom, failed, interrupted.
        cross_validations: the ids of the cross-validations it is, one or more seeds each; none for single
            trainings.
        names: every `run.name` its runs have, the most frequent first.
    """

    title: str
    words: tuple[str, ...]
    settings: Mapping[str, Any] = field(hash=False)
    runs: tuple[Trained, ...]
    lost: tuple[RunSummary, ...] = ()
    cross_validations: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @cached_property
    def seeds(self) -> tuple[int, ...]:
        """Those it was trained with."""
        return tuple(dict.fromkeys(one.seed for one in self.runs))

    @property
    def cites(self) -> tuple[str, ...]:
        """What stands for it in a document: the ids of its runs, or of its cross-validations."""
        return self.cross_validations or tuple(one.run.id for one in self.runs)

    @property
    def verb(self) -> str:
        """`train` or `cross-validate`."""
        return "cross-validate" if self.cross_validations else "train"

    def composed_of(self, *more: str) -> list[str]:
        """The overrides that give `settings`, with more of them; of a cross-validation its first fold's."""
        words = [*self.words, *more]
        return FoldWords.of(words).first if self.cross_validations else words
