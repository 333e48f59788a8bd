"""The stored predictions of what is compared: one table a seed, and what all seeds say together."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from ctexp.core.errors import DataError
from ctexp.evaluation.out_of_fold import OOF, averaged
from ctexp.evaluation.predictions import Predictions
from ctexp.record.manifest import Manifest
from ctexp.record.subjects import Subject


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

    def of(self, image_ids: set[str]) -> "Answers":
        """The same for some of the images."""
        return Answers(
            self.subject, self.split, {seed: its.of(image_ids) for seed, its in self.seeds.items()}
        )


def read(subject: Subject, split: str) -> Answers:
    """Read a subject's predictions; a cross-validation has them out of fold, as its runs' validation images.

    Raises:
        DataError: predictions are missing or damaged, all told; or seeds judged different images.
    """
    found: dict[int, list[Predictions]] = defaultdict(list)
    problems: list[str] = []
    for run in subject.runs:
        try:
            seed = Manifest.read(run.manifest).seed
            found[seed].append(Predictions.read(run.predictions("val" if subject.place else split)))
        except DataError as error:
            problems += error.problems
    if problems:
        way = "" if split == "val" else f"scripts/inv evaluate --run {subject.runs[0].id} --split {split}"
        raise DataError(problems, f"predict the split first: {way}" if way else "")
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
