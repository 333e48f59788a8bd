"""All that a diagnosis rests on, read from a study once: curves, answers, noise, differences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from ctexp.config.verdict import VerdictSettings
from ctexp.core.classes import CLASSES
from ctexp.core.dotted import nested
from ctexp.core.errors import CtexpError
from ctexp.evaluation import guessing, metrics
from ctexp.evaluation.health.facts import Facts, Row
from ctexp.evaluation.out_of_fold import averaged
from ctexp.evaluation.predictions import Predictions
from ctexp.planning.study.data import DataFacts
from ctexp.planning.study.differences import Difference
from ctexp.planning.study.noise import Noise
from ctexp.planning.study.recipes import Recipe
from ctexp.planning.study.study import Study
from ctexp.record.manifest import Manifest

_WITH_SIZE = ("data.image_size", "data.batch_size", "data.eval_batch_size", "trainer.accumulate_grad_batches")
"""Settings that go along with the size of images, as memory asks for."""
_RESAMPLES = 500  # of each table's intervals: their ends are good to about a tenth of their length


@dataclass(frozen=True)
class Training:
    """A training of the incumbent: its epochs, and what the rules of health have to know besides.

    Attributes:
        name: `seed 3`, of a cross-validation `seed 3, fold 1`.
    """

    id: str
    name: str
    rows: Sequence[Row]
    facts: Facts


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the rules look at.

    Attributes:
        data: None where nothing is known of the images.
        recipes: all that were trained on them.
        failed: recipes none of whose trainings came to an end.
        incumbent: the one that the findings are about.
        trainings: its curves, where they are whole.
        tables: its answers by seed, the same images in the same order; empty where they cannot be read.
        values: its primary metric by seed.
        image_error: the standard error of that from the choice of images; None where nobody knows.
        noise: how far seeds spread, by all recipes; None where none has two.
        differences: every other recipe less the incumbent, on the primary metric.
        of_sizes: the larger less the smaller of any two recipes that differ in the size of images alone.
        notes: what could not be read, one line each.
    """

    data: DataFacts | None
    settings: VerdictSettings
    recipes: tuple[Recipe, ...]
    failed: tuple[Recipe, ...]
    incumbent: Recipe
    trainings: tuple[Training, ...]
    tables: Mapping[int, Predictions] = field(hash=False)
    values: Mapping[int, float] = field(hash=False)
    image_error: float | None
    noise: Noise | None
    differences: tuple[Difference, ...]
    of_sizes: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def primary(self) -> str:
        """`val/<metric>` by which recipes are chosen."""
        return f"val/{self.settings.primary}"

    @property
    def cites(self) -> tuple[str, ...]:
        """The incumbent's runs."""
        return self.incumbent.cites

    @property
    def images(self) -> int:
        """Independent images that were judged; 0 where the answers cannot be read."""
        return len(self.units.label) if self.tables else 0

    @property
    def train_counts(self) -> dict[str, int]:
        """Training images of each class; empty where nobody knows."""
        if self.data and self.data.rows.get("train"):
            return dict(self.data.rows["train"])
        first = self.trainings[0].facts.counts["train"] if self.trainings else None
        return dict(zip(CLASSES, first, strict=True)) if first else {}

    @cached_property
    def joint(self) -> Predictions:
        """The mean of the seeds' probabilities; a single seed's own answers."""
        tables = list(self.tables.values())
        return tables[0] if len(tables) == 1 else averaged(tables)

    @cached_property
    def units(self) -> Predictions:
        """The joint answers to one image of each group: witnesses that are independent, for exact tests."""
        return self.joint.at(self._firsts)

    @cached_property
    def seed_units(self) -> dict[int, Predictions]:
        """Likewise of each seed."""
        return {seed: table.at(self._firsts) for seed, table in self.tables.items()}

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Every metric of the joint answers with its interval, as `metrics.summarise` makes it."""
        return metrics.summarise(self.joint, "val", resamples=_RESAMPLES)

    @cached_property
    def summaries(self) -> dict[int, dict[str, Any]]:
        """Likewise of each seed."""
        if len(self.tables) == 1:
            return dict.fromkeys(self.tables, self.summary)
        return {
            seed: metrics.summarise(its, "val", resamples=_RESAMPLES) for seed, its in self.tables.items()
        }

    @cached_property
    def chance(self) -> float:
        """How often guessing would rank the images as well; see `guessing.p_value`."""
        return guessing.p_value(self.units.label, self.units.probabilities)

    @property
    def guessing(self) -> bool:
        """Whether the incumbent's answers may be guesses.

        It was chosen among all recipes, so that it has to be surer of it the more there were (Bonferroni).
        """
        return bool(self.tables) and self.chance > self.settings.alpha / len(self.recipes)

    @cached_property
    def _firsts(self) -> "np.ndarray[Any, np.dtype[np.int64]]":
        groups = np.unique(np.array(self.joint.group), return_index=True)[1]
        return np.sort(groups).astype(np.int64)


def gather(study: Study, incumbent: Recipe) -> Evidence:
    """Read what there is of a study; what cannot be read is noted and left out."""
    notes: list[str] = []
    tables: Mapping[int, Predictions] = {}
    try:
        tables = study.answers(incumbent).seeds
    except CtexpError as error:
        notes += error.problems
    trainings = []
    for one in incumbent.runs:
        try:
            counts = Manifest.read(one.run.manifest).dataset.rows
            facts = Facts.of(nested(incumbent.settings), counts)
        except CtexpError as error:
            notes += error.problems
            continue
        except KeyError as error:  # a record of before there was such a setting
            notes.append(f"{one.run.id}: its curves cannot be judged: no setting {error}")
            continue
        if not {"train", "val"} <= facts.counts.keys():
            notes.append(f"{one.run.id}: its curves cannot be judged: it does not say what it learned from")
            continue
        fold = "" if one.summary.fold is None else f", fold {one.summary.fold}"
        trainings.append(Training(one.run.id, f"seed {one.seed}{fold}", study.curves(one), facts))
    return Evidence(
        data=study.data,
        settings=study.settings,
        recipes=study.recipes,
        failed=study.failed,
        incumbent=incumbent,
        trainings=tuple(trainings),
        tables=tables,
        values=study.values(incumbent, study.primary),
        image_error=study.image_error(study.primary),
        noise=study.noise(study.primary),
        differences=tuple(
            study.difference(incumbent, one, study.primary) for one in study.recipes if one is not incumbent
        ),
        of_sizes=tuple(study.difference(*pair, study.primary) for pair in pairs_of_sizes(study.recipes)),
        notes=tuple(notes),
    )


def pairs_of_sizes(recipes: Sequence[Recipe]) -> list[tuple[Recipe, Recipe]]:
    """Two recipes each that differ in the size of images alone, the smaller first."""
    alike: dict[str, list[Recipe]] = {}
    for one in recipes:
        rest = {key: value for key, value in one.settings.items() if key not in _WITH_SIZE}
        if isinstance(one.settings.get("data.image_size"), int):
            alike.setdefault(f"{one.verb} {sorted(rest.items())}", []).append(one)
    pairs = (sorted(two, key=_size) for its in alike.values() for two in combinations(its, 2))
    return [(smaller, larger) for smaller, larger in pairs if _size(smaller) < _size(larger)]


def _size(recipe: Recipe) -> int:
    return int(recipe.settings["data.image_size"])
