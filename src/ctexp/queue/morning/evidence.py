"""What the finished seeds of an experiment have to say: their runs, their figures, their predictions."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ctexp.core import files
from ctexp.core.errors import CtexpError, DataError
from ctexp.evaluation import answers
from ctexp.evaluation.answers import Answers
from ctexp.evaluation.out_of_fold import OOF
from ctexp.evaluation.verdicts.documents import Target
from ctexp.evaluation.verdicts.target import threshold
from ctexp.queue import measured
from ctexp.queue.morning.documents import JobReport, RunWarning
from ctexp.queue.morning.jobs import trainings
from ctexp.record.cross_validation import FOLDER, CrossValidationDir
from ctexp.record.result import Measurement
from ctexp.record.run_dir import RunDir
from ctexp.record.subjects import JUDGED, Subject, shortened, subject


@dataclass(frozen=True)
class Seed:
    """One finished job.

    Attributes:
        place: its run, or its cross-validation.
    """

    job: JobReport
    place: RunDir | CrossValidationDir


@dataclass(frozen=True)
class Evidence:
    """An experiment's finished seeds.

    Attributes:
        experiment: its id.
        runs: the folder of all runs.
        folds: whether each seed is a cross-validation.
        seeds: in the order of the plan.
        left_out: seeds that are not here, and why, one line each.
    """

    experiment: str
    runs: Path
    folds: bool
    seeds: tuple[Seed, ...]
    left_out: tuple[str, ...]

    @classmethod
    def of(cls, experiment: str, runs: Path, folds: bool, jobs: Sequence[JobReport]) -> Self:
        """What the jobs of an experiment have left; the arguments as above."""
        seeds = []
        lacking: dict[str, list[int]] = {}
        for job in jobs:
            place, problem = _place(job, folds, runs)
            if place is not None:
                seeds.append(Seed(job, place))
            else:
                lacking.setdefault(problem, []).append(job.seed)
        short = shortened([seed.place for seed in seeds if isinstance(seed.place, RunDir)])
        if short:
            lacking["shortened, and others were not"] = [one.job.seed for one in seeds if one.place in short]
        seeds = [seed for seed in seeds if seed.place not in short]
        left_out = (f"{named(numbers)}: {problem}" for problem, numbers in lacking.items())
        return cls(experiment, runs, folds, tuple(seeds), tuple(left_out))

    @property
    def ids(self) -> frozenset[str]:
        """The runs or cross-validations it stands on."""
        return frozenset(seed.place.id for seed in self.seeds)

    def stored(self, metric: str) -> str:
        """The split of a metric as the records call it; a cross-validation's validation is out of fold."""
        split = metric.partition("/")[0]
        return OOF if self.folds and split == "val" else split

    def beyond(self, metric: str, op: str, value: float) -> Target:
        """Whether every seed's interval is beyond a stated value; see `target.threshold`."""
        places = [seed.place.metrics for seed in self.seeds]
        return threshold(places, self.stored(metric), metric, op, value)

    def measured(self, seed: Seed, metric: str) -> Measurement | None:
        """A metric of one seed; None where its record has none."""
        found = measured.value(self.runs, seed.place.id, metric)
        try:
            return Measurement.model_validate(found) if found else None
        except ValueError:
            return None

    def images(self, metric: str) -> int | None:
        """How many independent images each seed was judged on; None where their records do not say."""
        stored = self.stored(metric)
        try:
            places = [seed.place.metrics for seed in self.seeds]
            return min(int(files.read_json(path)["splits"][stored]["groups"]) for path in places)
        except (CtexpError, KeyError, TypeError, ValueError):
            return None

    def answers(self) -> Answers:
        """The stored predictions of validation, a table a seed.

        Raises:
            DataError: they are missing or damaged.
        """
        if not self.seeds:
            raise DataError(f"no seed of {self.experiment} has finished")
        subjects = [self._subject(seed) for seed in self.seeds]
        runs = tuple(run for one in subjects for run in one.runs)
        if not self.folds:
            return answers.read(Subject(self.experiment, self.experiment, "name", runs), "val")
        # Each seed is a cross-validation of its own, whose folds together judged every image.
        tables = {seed: table for one in subjects for seed, table in answers.read(one, "val").seeds.items()}
        place = subjects[0].place
        return Answers(
            Subject(self.experiment, self.experiment, "cross-validation", runs, place), OOF, tables
        )

    def warnings(self) -> list[RunWarning]:
        """What the finished runs say of themselves, each line once."""
        told: dict[str, list[int]] = {}
        for seed in self.seeds:
            for run in trainings(self.runs, seed.place.id):
                result = run.read().result
                for line in result.warnings if result else ():
                    seeds = told.setdefault(" ".join(line.split()), [])
                    if seed.job.seed not in seeds:
                        seeds.append(seed.job.seed)
        return [RunWarning(said=line, seeds=tuple(seeds)) for line, seeds in told.items()]

    def _subject(self, seed: Seed) -> Subject:
        if isinstance(seed.place, RunDir):
            return Subject(seed.place.id, seed.place.id, "run", (seed.place,))
        return subject(self.runs, str(seed.place.path))


def _place(job: JobReport, folds: bool, runs: Path) -> tuple[RunDir | CrossValidationDir | None, str]:
    """Where a job's figures are, or why there are none."""
    if job.state == "pending":
        return None, "not begun"
    if job.state != "done":
        kind = f" ({job.kind})" if job.kind else ""
        reason = f": {job.reason}" if job.reason else ""
        return None, f"{job.state}{kind}{reason}"
    if job.run is None:
        return None, "done, and its run is not known"
    if folds:
        place = CrossValidationDir(runs / FOLDER / job.run)
        return (place, "") if place.metrics.is_file() else (None, f"{place.id}: no {place.metrics.name}")
    run = RunDir(runs / job.run)
    state = run.read().state if run.path.is_dir() else "no longer there"
    return (run, "") if state in JUDGED else (None, f"{run.id}: {state}")


def named(seeds: Sequence[int]) -> str:
    """`seed 1`, `seeds 1, 2`."""
    return f"seed{'' if len(seeds) == 1 else 's'} {', '.join(map(str, seeds))}"
