"""Better than the baseline: the paired comparison of all such hypotheses of a plan together.

Holm's correction counts each of them, those that could not be tested too, so that a failed job makes nothing
easier for the others. An improvement is met where it is called better; it is not met where it is called
worse, or where even the better end of its interval is less than what was worth finding.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ctexp.config.verdict import VerdictSettings
from ctexp.core.errors import CtexpError, DataError
from ctexp.core.metric_names import METRICS
from ctexp.evaluation import answers, comparison
from ctexp.evaluation.answers import Answers
from ctexp.evaluation.comparison import Judged, Needed, Pair, Verdict
from ctexp.evaluation.verdicts.configs import setup
from ctexp.evaluation.verdicts.images import matched
from ctexp.queue.morning.documents import Criterion, Outcome, Status
from ctexp.queue.morning.evidence import Evidence
from ctexp.queue.morning.jobs import trainings
from ctexp.record import baselines
from ctexp.record.subjects import subject


class _Compared(NamedTuple):
    """A pair before the correction, and what a reader of it must know."""

    pair: Pair
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Comparer:
    """Compares experiments with one baseline.

    Args:
        root: the project's folder.
        runs: the folder of all runs.
        baseline: an experiment of the plan, or what `inv compare-baselines --baseline` takes.
        evidence: by experiment, of every one of the plan.
        settings: how often a verdict may err.
    """

    root: Path
    runs: Path
    baseline: str
    evidence: Mapping[str, Evidence]
    settings: VerdictSettings

    def outcomes(self, wanted: Mapping[str, Criterion]) -> dict[str, Outcome]:
        """What became of each."""
        compared: dict[str, _Compared] = {}
        found: dict[str, Outcome] = {}
        for name, criterion in wanted.items():
            try:
                compared[name] = self._compared(name, criterion.metric)
            except CtexpError as error:
                found[name] = Outcome(status="undecided", said="; ".join(error.problems))
        pairs = [its.pair for its in compared.values()]
        judged = comparison.judge(pairs, self.settings.alpha, untested=len(found))
        for name, its in zip(compared, judged, strict=True):
            (verdict,) = its.metrics.values()
            by = wanted[name].by or self.settings.worthwhile
            told = _told(verdict, wanted[name], by, len(wanted), compared[name].notes)
            if told.status == "undecided":
                needed = _needed(verdict, its, by, self.settings.alpha / len(wanted))
                told = told.model_copy(update=_advice(needed))
            found[name] = told.model_copy(update=self._reach(name, wanted[name].metric))
        return found

    def _compared(self, name: str, metric: str) -> _Compared:
        """An experiment against the baseline.

        Raises:
            CtexpError: one of them has nothing to be compared.
        """
        split, _, plain = metric.partition("/")
        if split != "val":
            raise DataError(f"{metric}: experiments are compared on validation")
        candidate = self.evidence[name].answers()
        baseline = self._baseline_of(name)
        first, second = matched([baseline, candidate], intersect=False).answers
        pair = comparison.pair(first.tables, second.tables, (plain,))
        return _Compared(pair, (*setup(baseline, candidate).warnings, *baseline.subject.notes))

    def _baseline_of(self, name: str) -> Answers:
        """What an experiment is compared with.

        Raises:
            CtexpError: there is nothing, or it is the experiment itself.
        """
        if self.baseline == name:
            raise DataError(f"{name} is the baseline itself")
        if self.baseline in self.evidence:
            return self.evidence[self.baseline].answers()
        its = self.evidence[name]
        current = baselines.current(self.root)
        best_by = f"val/{self.settings.primary}"
        found = subject(self.runs, self.baseline, best_by=best_by, baseline=current)
        own = {run.id for seed in its.seeds for run in trainings(self.runs, seed.place.id)}
        if shared := own & {run.id for run in found.runs}:
            what = f"the baseline ({self.baseline}) is a run of {name} itself"
            raise DataError(f"{what}: {', '.join(sorted(shared))}")
        return answers.read(found, "val")

    def _reach(self, name: str, metric: str) -> dict[str, float | None]:
        """From the lowest to the highest end of the seeds' own intervals."""
        its = self.evidence[name]
        found = [its.measured(seed, metric) for seed in its.seeds]
        lows = [one.low for one in found if one and one.low is not None]
        highs = [one.high for one in found if one and one.high is not None]
        whole = len(lows) == len(highs) == len(found)
        return {"low": min(lows), "high": max(highs)} if whole and found else {}


def _told(its: Verdict, criterion: Criterion, by: float, family: int, notes: tuple[str, ...]) -> Outcome:
    """What a verdict says of a criterion."""
    if its.difference is None or its.baseline is None or its.candidate is None:
        return Outcome(status="undecided", said=its.reason or f"{its.metric} is undefined", notes=notes)
    best_case = _best_case(its)
    status: Status = "undecided"
    if its.verdict == "worse" or (best_case is not None and best_case < by):
        status = "not met"
    elif its.verdict == "better":
        status = "met"
    said = f"{criterion.metric} {its.candidate:.3f} against {its.baseline:.3f} of {criterion.baseline}"
    said += f": {signed(its.difference, its.low, its.high)}, p {its.p_holm:.2g}"
    said += f" corrected for {family} hypotheses" if family > 1 else ""
    said += f"; {its.reason}" if its.reason else ""
    if best_case is not None and best_case < by and its.verdict != "worse":
        at_best = f"{best_case:+.3f} better, less than" if best_case > 0 else "no better, let alone by"
        said += f"; even at best {at_best} the {by:g} worth finding"
    return Outcome(
        status=status,
        said=said,
        measured=its.candidate,
        baseline=its.baseline,
        difference=its.difference,
        difference_low=its.low,
        difference_high=its.high,
        p=its.p_holm,
        notes=notes,
    )


def _needed(its: Verdict, judged: Judged, by: float, level: float) -> Needed | None:
    """What would find an improvement of `by`; where nothing would, a larger one that was seen."""
    found = comparison.needed(its, judged.groups, judged.seeds, level, by)
    seen = (its.difference or 0.0) * (1 if METRICS[its.metric] == "max" else -1)
    out_of_reach = found and not (found.images or found.seeds) and (its.detectable or by) > by
    return its.needed if out_of_reach and seen > by else found


def _advice(needed: Needed | None) -> dict[str, Any]:
    if needed is None:
        return {}
    return {"needed": needed.said, "seeds_needed": needed.seeds, "images_needed": needed.images}


def signed(difference: float, low: float | None, high: float | None) -> str:
    """`+0.108 (95 % interval +0.021 to +0.195)`."""
    interval = "" if low is None or high is None else f" (95 % interval {low:+.3f} to {high:+.3f})"
    return f"{difference:+.3f}{interval}"


def _best_case(its: Verdict) -> float | None:
    """The end of the interval in the better direction, as an improvement."""
    if its.low is None or its.high is None:
        return None
    return its.high if METRICS[its.metric] == "max" else -its.low
