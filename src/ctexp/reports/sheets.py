"""All that a page says of one experiment, read once from its directories; what cannot be read is told."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctexp.core.classes import CLASSES
from ctexp.core.errors import CtexpError, DataError
from ctexp.evaluation import answers, metrics, recorded
from ctexp.evaluation.answers import Answers
from ctexp.evaluation.mistakes import cases
from ctexp.evaluation.mistakes.cases import Cases
from ctexp.evaluation.operating import cancer_scores
from ctexp.evaluation.out_of_fold import OOF
from ctexp.evaluation.predictions import Predictions
from ctexp.record import history
from ctexp.record.manifest import Manifest
from ctexp.record.result import Result
from ctexp.record.run_dir import RunDir
from ctexp.record.subjects import Subject

_SPLITS = ("val", "test")  # figures of training images would say what was memorised


@dataclass(frozen=True)
class Member:
    """One run of an experiment; a document is None, or empty, where it cannot be read.

    Attributes:
        metrics: split -> its summary, as `metrics.summarise` makes it.
        epochs: the rows of its history.
    """

    run: RunDir
    manifest: Manifest | None
    result: Result | None
    metrics: Mapping[str, Mapping[str, Any]]
    epochs: tuple[history.Row, ...]

    @property
    def seed(self) -> int | None:
        """The seed it was trained with."""
        return self.manifest.seed if self.manifest else None


@dataclass(frozen=True, eq=False)
class View:
    """What an experiment says of one split.

    Attributes:
        answers: the tables.
        cases: the images with their calibrated probabilities, the seeds' mean.
        summary: metrics with intervals of the seeds' mean probabilities.
        of_seeds: the recorded metrics of each seed's own network; empty where there is one, or one has none.
    """

    answers: Answers
    cases: Cases
    summary: Mapping[str, Any]
    of_seeds: tuple[Mapping[str, Any], ...] = ()

    @property
    def split(self) -> str:
        """val, test or oof."""
        return self.answers.split

    @property
    def images(self) -> int:
        """How many."""
        return len(self.cases)

    @cached_property
    def calibrated(self) -> Predictions:
        """The seeds' mean after temperature scaling, where the temperature is known."""
        return _calibrated(self.answers.joint, self.cases.temperature)

    @cached_property
    def score(self) -> NDArray[np.float64]:
        """How likely an image shows a cancer: 1 less the calibrated probability of normal, `(N,)`."""
        return cancer_scores(self.calibrated)

    @cached_property
    def points(self) -> tuple[Mapping[str, float], ...]:
        """Each seed's own metrics, named without their split."""
        return tuple(metrics.point(table.label, table.logits) for table in self.answers.tables)

    def entry(self, name: str) -> Mapping[str, Any] | None:
        """The entry of a metric, named without its split; None where it is missing.

        Of several seeds it is their mean, as in a comparison, in an interval that spans those of all of them:
        what they say together is better than what the network of one seed will say.
        """
        full = f"{self.split}/{name}"
        own = [one.get(full) for one in self.of_seeds]
        if own and all(isinstance(its, dict) and its.get("value") is not None for its in own):
            lows, highs = ([its[end] for its in own if its] for end in ("low", "high"))
            return {
                "value": float(np.mean([its["value"] for its in own if its])),
                "low": None if None in lows else min(lows),
                "high": None if None in highs else max(highs),
            }
        found = self.summary["metrics"].get(full)
        return found if isinstance(found, dict) else None


@dataclass(frozen=True, eq=False)
class Sheet:
    """One experiment.

    Attributes:
        members: its runs.
        views: by split; empty where no predictions can be read.
        problems: what cannot be read, one line each.
    """

    subject: Subject
    members: tuple[Member, ...]
    views: Mapping[str, View]
    problems: tuple[str, ...]

    @property
    def title(self) -> str:
        """What to call it."""
        return self.subject.title

    @property
    def chosen(self) -> View | None:
        """The split that was not opened for good: validation, or out of fold."""
        return self.views.get(OOF) or self.views.get("val")

    def named(self, view: View) -> str:
        """What to call a view: the title, and how many seeds speak where some are silent."""
        speak, there = len(view.answers.subject.runs), len(self.subject.runs)
        if self.subject.place or speak == there:
            return self.title
        return f"{self.title} ({speak} of {there} seeds)"

    def choosing(self, view: View) -> Predictions | None:
        """The calibrated answers that a threshold for a view is chosen on: by exactly its seeds.

        Whoever answers together is another subject than each of them, with scores of its own. None where
        one of the view's seeds has no answers on validation.
        """
        chosen, seeds = self.chosen, view.answers.seeds
        if chosen is None or not seeds.keys() <= chosen.answers.seeds.keys():
            return None
        if seeds.keys() == chosen.answers.seeds.keys():
            return chosen.calibrated
        same = {seed: chosen.answers.seeds[seed] for seed in seeds}
        return _calibrated(Answers(view.answers.subject, chosen.split, same).joint, view.cases.temperature)

    @property
    def manifest(self) -> Manifest | None:
        """The first readable one: those of one experiment differ by their seed alone."""
        return next((member.manifest for member in self.members if member.manifest), None)


def _calibrated(joint: Predictions, temperature: float | None) -> Predictions:
    return replace(joint, logits=(joint.logits / (temperature or 1.0)).astype(np.float32))


def read(subject: Subject) -> Sheet:
    """Read an experiment; a damaged run is told in `problems` and hides none of the others."""
    problems: list[str] = []
    members = tuple(_member(run, problems) for run in subject.runs)
    sound = replace(subject, runs=tuple(member.run for member in members if member.manifest))
    views = {}
    for split in (OOF,) if subject.place else _SPLITS:
        judged = _judged(sound, members, split)
        if judged.runs:
            try:
                its = _answers(judged, split, problems)
                views[split] = View(its, cases.of(its), _summary(its, members), _of_seeds(its, members))
            except CtexpError as error:
                problems += error.problems
    return Sheet(subject, members, views, tuple(dict.fromkeys(problems)))


def _member(run: RunDir, problems: list[str]) -> Member:
    _, manifest, result, wrong = run.read()
    problems += wrong
    found: Mapping[str, Any] = {}
    epochs: list[history.Row] = []
    try:
        found = recorded.splits(run)
    except DataError as error:
        problems += error.problems
    try:
        epochs = history.read(run.history)
    except DataError as error:
        problems += error.problems
    return Member(run, manifest, result, found, tuple(epochs))


def _judged(subject: Subject, members: tuple[Member, ...], split: str) -> Subject:
    """The runs that have predictions of a split; test counts only where its look is recorded in metrics."""
    if split in {"val", OOF}:
        return subject
    seen = {member.run.id for member in members if split in member.metrics}
    kept = tuple(run for run in subject.runs if run.id in seen and run.predictions(split).is_file())
    return replace(subject, runs=kept)


def _answers(subject: Subject, split: str, problems: list[str]) -> Answers:
    """The predictions of those runs whose tables are sound.

    Raises:
        DataError: of none, or they do not belong together.
    """
    try:
        return answers.read(subject, split)
    except DataError:
        sound = []
        for run in subject.runs:
            try:
                answers.read(replace(subject, runs=(run,)), split)
                sound.append(run)
            except DataError as error:
                problems += error.problems
        if not sound or len(sound) == len(subject.runs):
            raise
        return answers.read(replace(subject, runs=tuple(sound)), split)


def _summary(its: Answers, members: tuple[Member, ...]) -> Mapping[str, Any]:
    """As recorded where there is one table, else anew of the seeds' mean."""
    joint, split = its.joint, its.split
    if len(its.subject.runs) == 1 and split != OOF:
        kept = next(m.metrics for m in members if m.run.id == its.subject.runs[0].id).get(split)
        if kept and kept["n"] == len(joint.label) and kept["support"].keys() >= set(CLASSES):
            return kept
    return metrics.summarise(joint, split)


def _of_seeds(its: Answers, members: tuple[Member, ...]) -> tuple[Mapping[str, Any], ...]:
    """What each seed's run recorded; a cross-validation's runs recorded their folds alone."""
    if len(its.seeds) == 1 or its.split == OOF:
        return ()
    judged = {run.id for run in its.subject.runs}
    found = [
        member.metrics.get(its.split, {}).get("metrics") for member in members if member.run.id in judged
    ]
    sound = tuple(one for one in found if isinstance(one, dict))
    return sound if len(sound) == len(found) else ()
