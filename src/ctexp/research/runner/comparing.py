"""Two experiments of a handler on the same validation images: differences with intervals, and verdicts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ctexp.config import verdict
from ctexp.core import files
from ctexp.core.errors import UsageError
from ctexp.core.metric_names import METRICS
from ctexp.core.names import did_you_mean
from ctexp.record.subjects import Subject
from ctexp.research.figures import Compared, Figure

if TYPE_CHECKING:
    from ctexp.evaluation.comparison import Judged

SPLIT = "val"
"""The split that handlers compare on: the test split stays sealed."""


@dataclass(frozen=True)
class Paired:
    """A candidate against a baseline.

    Attributes:
        baseline: one side; `candidate` likewise.
        judged: every metric of the family.
        files: SHA-256 of the tables of predictions, by run.
        alpha: of the whole family.
        made: given every figure that is asked for.
    """

    baseline: Subject
    candidate: Subject
    judged: "Judged"
    files: dict[str, str]
    alpha: float
    made: Callable[[Figure], Figure]

    def difference(self, metric: str) -> Figure:
        """Candidate less baseline, with its 95 % interval over images and seeds.

        Raises:
            UsageError: the metric was not compared.
        """
        name = self._of_the_family(metric)
        effect = self.judged.metrics[name]
        source = Compared(
            baseline=tuple(run.id for run in self.baseline.runs),
            candidate=tuple(run.id for run in self.candidate.runs),
            split=SPLIT,
            metric=name,
            files=self.files,
            family=tuple(self.judged.metrics),
            alpha=self.alpha,
            verdict=effect.verdict,
        )
        figure = Figure(value=effect.difference, low=effect.low, high=effect.high, source=source)
        return self.made(figure)

    def verdict(self, metric: str) -> Literal["better", "worse", "undecided"]:
        """What the candidate is, corrected for the whole family.

        Raises:
            UsageError: the metric was not compared.
        """
        return self.judged.metrics[self._of_the_family(metric)].verdict

    @property
    def said(self) -> str:
        """What the verdicts are about, one sentence."""
        return f"{self.judged.scope[:1].upper()}{self.judged.scope[1:]}."

    def _of_the_family(self, metric: str) -> str:
        name = metric.removeprefix(f"{SPLIT}/")
        if name in self.judged.metrics:
            return name
        raise UsageError(
            f"{metric!r} was not compared", did_you_mean(name, self.judged.metrics) or "name it in metrics="
        )


def paired(
    root: Path,
    baseline: Subject,
    candidate: Subject,
    metrics: Sequence[str] | None,
    *,
    made: Callable[[Figure], Figure],
) -> Paired:
    """Compare two experiments on validation.

    Args:
        root: the project's folder, whose `conf/verdict.yaml` says what is compared by default.
        baseline: one side.
        candidate: the other.
        metrics: the family; None for that of `conf/verdict.yaml`.
        made: given every figure that is asked for.

    Raises:
        UsageError: there is no such metric, or the sides have a run in common.
        DataError: the images differ, or predictions are missing.
    """
    settings = verdict.load(root)
    family = _family(settings.metrics if metrics is None else metrics)
    shared = {run.id for run in baseline.runs} & {run.id for run in candidate.runs}
    if shared:
        raise UsageError(
            [f"{name}: stands on both sides of the comparison" for name in sorted(shared)],
            "compare runs of two experiments",
        )

    from ctexp.evaluation import answers, comparison
    from ctexp.evaluation.verdicts.images import matched

    its = [answers.read(one, SPLIT) for one in (baseline, candidate)]
    first, second = matched(its, intersect=False).answers
    (judged,) = comparison.judge([comparison.pair(first.tables, second.tables, family)], settings.alpha)
    tables = {
        run.id: files.sha256_file(run.predictions(SPLIT)) for one in (baseline, candidate) for run in one.runs
    }
    return Paired(baseline, candidate, judged, tables, settings.alpha, made)


def _family(metrics: Sequence[str]) -> tuple[str, ...]:
    names = tuple(name.removeprefix(f"{SPLIT}/") for name in metrics)
    problems = [
        f"metrics: {name!r} cannot be compared here; "
        + ("the test split stays sealed" if name.startswith("test") else did_you_mean(name, METRICS))
        for name in names
        if name not in METRICS
    ]
    if problems or not names:
        raise UsageError(
            problems or "metrics: none is named", "name some of validation, for example macro_f1"
        )
    return tuple(dict.fromkeys(names))
