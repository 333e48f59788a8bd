"""A study: everything the project has trained on one set of images, as later decisions need it."""

from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

from ctexp.config.verdict import VerdictSettings
from ctexp.core.errors import DataError
from ctexp.evaluation import answers
from ctexp.evaluation.answers import Answers
from ctexp.evaluation.out_of_fold import OOF
from ctexp.planning.study.data import DataFacts
from ctexp.planning.study.differences import Difference, compared, unknown
from ctexp.planning.study.noise import Noise, of_images, pooled
from ctexp.planning.study.recipes import Recipe, Trained
from ctexp.record import history
from ctexp.record.cross_validation import FOLDER, CrossValidationDir
from ctexp.record.history import Row
from ctexp.record.subjects import Subject
from ctexp.record.values import entry_of


@dataclass
class Known:
    """What was read or worked out already: predictions and comparisons are asked for many times."""

    answers: dict[tuple[str, ...], Answers] = field(default_factory=dict)
    pairs: dict[tuple[str, ...], Difference] = field(default_factory=dict)
    curves: dict[str, list[Row]] = field(default_factory=dict)


@dataclass(frozen=True)
class Study:
    """What has been trained and judged on the same images.

    What needs predictions is read when it is asked for, once. Only validation images are ever looked at, or
    those out of fold.

    Attributes:
        root: the project's folder.
        runs: the folder of all runs.
        dataset: the data set's name; None where nothing has been trained.
        split: the scheme that says which image is in which split.
        recipes: newest first.
        incumbent: what later work is compared with; None where nothing has been trained.
        why_incumbent: why it is that one, a few words.
        data: None where nothing is known of the images.
        settings: of `conf/verdict.yaml`.
        notes: what was left out, and why, one line each.
        failed: recipes none of whose runs came to an end: they diverged, or ran out of memory.
    """

    root: Path
    runs: Path
    dataset: str | None
    split: str | None
    recipes: tuple[Recipe, ...]
    incumbent: Recipe | None
    why_incumbent: str
    data: DataFacts | None
    settings: VerdictSettings
    notes: tuple[str, ...] = ()
    failed: tuple[Recipe, ...] = ()
    known: Known = field(default_factory=Known, repr=False, compare=False)

    @property
    def primary(self) -> str:
        """`val/<metric>` by which recipes are chosen."""
        return f"val/{self.settings.primary}"

    def recipe(self, title: str) -> Recipe:
        """The one of a title.

        Raises:
            KeyError: there is none.
        """
        for one in self.recipes:
            if one.title == title:
                return one
        raise KeyError(title)

    def answers(self, recipe: Recipe) -> Answers:
        """What a recipe said of every image of validation, a table a seed; out of fold for cross-validations.

        Seeds without predictions are left out.

        Raises:
            DataError: no run of it has any, or some are damaged.
        """
        if recipe.cites not in self.known.answers:
            self.known.answers[recipe.cites] = self._read(recipe)
        return self.known.answers[recipe.cites]

    def values(self, recipe: Recipe, metric: str) -> dict[int, float]:
        """A metric of each seed; seeds that have none are left out.

        Args:
            recipe: which one.
            metric: `val/macro_f1` or the like; of a cross-validation it is worked out of fold.
        """
        name = _name(metric)
        if not recipe.cross_validations:
            stored = {one.seed: one.summary.metrics.get(f"val/{name}") for one in recipe.runs}
            if any(value is not None for value in stored.values()):
                return {seed: value for seed, value in stored.items() if value is not None}
        try:
            points = self.answers(recipe).points
        except DataError:
            return {}
        told = {seed: point.get(name) for seed, point in points.items()}
        return {seed: value for seed, value in told.items() if value is not None}

    def mean(self, recipe: Recipe, metric: str) -> float | None:
        """A metric, the mean over seeds; None where no seed has it."""
        values = self.values(recipe, metric)
        return fmean(values.values()) if values else None

    def difference(self, before: Recipe, after: Recipe, metric: str) -> Difference:
        """A metric of one recipe less that of another, on the same images."""
        name = _name(metric)
        key = (*before.cites, ">", *after.cites, ":", name)
        if key not in self.known.pairs:
            self.known.pairs[key] = self._compare(before, after, name)
        return self.known.pairs[key]

    def curves(self, trained: Trained) -> list[Row]:
        """A row an epoch, as `history.csv` has them; none where there is no history to read."""
        if trained.run.id not in self.known.curves:
            try:
                rows = history.read(trained.run.history)
            except DataError:
                rows = []
            self.known.curves[trained.run.id] = rows
        return self.known.curves[trained.run.id]

    def noise(self, metric: str) -> Noise | None:
        """How far apart seeds of one recipe are; None where no recipe has two."""
        return pooled(list(self.values(one, metric).values()) for one in self.recipes)

    def image_error(self, metric: str) -> float | None:
        """The standard error of one training's metric from the choice of images, in the metric's units.

        By the recorded 95 % intervals of the incumbent; None where it has none. Two recipes that are judged
        on the same images share most of it.
        """
        one = self.incumbent
        if one is None:
            return None
        name = _name(metric)
        if one.cross_validations:
            return of_images(_bounds(place.metrics, OOF, name) for place in self.places(one))
        told = [its.summary.intervals.get(f"val/{name}") for its in one.runs]
        if not any(told):  # only the metrics that are printed stand in the index
            told = [_bounds(its.run.metrics, "val", name) for its in one.runs]
        return of_images(told)

    def _read(self, recipe: Recipe) -> Answers:
        having = tuple(one.run for one in recipe.runs if one.run.predictions("val").is_file())
        if not having:
            raise DataError(f"{recipe.title}: none of its runs has predictions of its validation images")
        if places := self.places(recipe):  # of several, each seed is one of its own: any stands for all
            folds = Subject(recipe.title, recipe.title, "cross-validation", having, places[0])
            return answers.read(folds, "val")
        return answers.read(Subject(recipe.title, recipe.title, "name", having), "val")

    def places(self, recipe: Recipe) -> tuple[CrossValidationDir, ...]:
        """The folders of a recipe's cross-validations; none for single trainings."""
        return tuple(CrossValidationDir(self.runs / FOLDER / one) for one in recipe.cross_validations)

    def _compare(self, before: Recipe, after: Recipe, name: str) -> Difference:
        try:
            return compared(self.answers(before), self.answers(after), name)
        except DataError as error:
            return unknown(name, (before.title, after.title), before.cites + after.cites, error)


def _bounds(file: Path, split: str, name: str) -> tuple[float, float] | None:
    """The recorded interval of a metric; None where it has none."""
    entry = entry_of(file, split, name)
    return entry.bounds if entry else None


def _name(metric: str) -> str:
    return metric.rpartition("/")[2]
