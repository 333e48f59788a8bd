"""The stored predictions of what is compared: one table a seed, and what all seeds say together."""

import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from ctexp.core.errors import DataError
from ctexp.evaluation import metrics
from ctexp.evaluation.out_of_fold import OOF, averaged
from ctexp.evaluation.predictions import Predictions
from ctexp.record.manifest import Manifest
from ctexp.record.run_dir import RunDir
from ctexp.record.subjects import Subject

_NAMED = 3  # commands in one hint

Point = dict[str, float | None]
"""Metrics by name, without intervals; None where undefined."""


@dataclass(frozen=True)
class Answers:
    """What the trainings of one experiment said of the same images.

    Attributes:
        split: train, val, test, or oof for a cross-validation.
        seeds: the table of each seed, the images of all in the order of their ids.
    """

    subject: Subject
    split: str
    seeds: dict[int, Predictions]

    @property
    def tables(self) -> list[Predictions]:
        """One a seed."""
        return list(self.seeds.values())

    @cached_property
    def joint(self) -> Predictions:
        """The mean of the seeds' probabilities; a single seed's own table."""
        return self.tables[0] if len(self.seeds) == 1 else averaged(self.tables)

    @cached_property
    def points(self) -> dict[int, Point]:
        """Every metric of each seed."""
        return {seed: _point(its) for seed, its in self.seeds.items()}

    @cached_property
    def joint_point(self) -> Point:
        """Every metric of the joint answer."""
        return next(iter(self.points.values())) if len(self.seeds) == 1 else _point(self.joint)

    def of(self, image_ids: Collection[str]) -> "Answers":
        """The same for some of the images."""
        return Answers(
            self.subject, self.split, {seed: its.of(image_ids) for seed, its in self.seeds.items()}
        )


def unpredicted(subject: Subject, split: str) -> list[RunDir]:
    """The runs that have no predictions of a split; a cross-validation's are those of its folds' val."""
    return [run for run in subject.runs if not run.predictions(_stored(subject, split)).is_file()]


def read(subject: Subject, split: str) -> Answers:
    """Read a subject's predictions; a cross-validation has them out of fold, as its runs' validation images.

    Raises:
        DataError: predictions are missing or damaged, all told; or seeds judged different images, or are told
            twice.
    """
    found: dict[int, list[Predictions]] = defaultdict(list)
    problems: list[str] = []
    broken: list[RunDir] = []
    for run in subject.runs:
        try:
            table = Predictions.read(run.predictions(_stored(subject, split)))
            found[Manifest.read(run.manifest).seed].append(table)
        except DataError as error:
            problems += error.problems
            broken.append(run)
    if problems:
        raise DataError(problems, f"make them: {commands(broken, _stored(subject, split))}")
    twice = [seed for seed, tables in sorted(found.items()) if len(tables) > 1 and not subject.place]
    if twice:
        raise DataError(
            [f"{subject.title}: {len(found[seed])} runs of seed {seed}" for seed in twice],
            "a seed is trained once: name single runs",
        )
    seeds = {
        seed: averaged(tables) if subject.place else tables[0].sorted()
        for seed, tables in sorted(found.items())
    }
    images = {frozenset(zip(its.image_id, its.sha256, strict=True)) for its in seeds.values()}
    if len(images) > 1:
        raise DataError(
            f"{subject.title}: its seeds judged different images",
            "finish what is missing, or name single runs",
        )
    return Answers(subject, OOF if subject.place else split, seeds)


def commands(runs: Sequence[RunDir], split: str) -> str:
    """What makes the predictions of these runs, the first few of them."""
    flags = {"val": "", "test": " --split test --final"}.get(split, f" --split {split}")
    lines = [f"scripts/inv evaluate --run {run.id}{flags}" for run in runs[:_NAMED]]
    return "; ".join(lines) + (f"; and {len(runs) - _NAMED} more" if len(runs) > _NAMED else "")


def _point(table: Predictions) -> Point:
    values = metrics.point(table.label, table.logits)
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def _stored(subject: Subject, split: str) -> str:
    return "val" if subject.place else split
