"""What follows from the evidence of one experiment, and what to do next. Nothing is said without a figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import stdev

from ctexp.core.metric_names import higher_is_better
from ctexp.queue.morning.documents import Criterion, JobReport, NextStep, Outcome
from ctexp.queue.morning.evidence import Evidence
from ctexp.queue.morning.improvements import signed
from ctexp.queue.morning.outcome import FAILED
from ctexp.record.manifest import command_line
from ctexp.record.run_dir import RunDir


@dataclass(frozen=True)
class Case:
    """One experiment, judged.

    Attributes:
        evidence: its finished seeds.
        jobs: all of it.
        criterion: and `outcome`: None where the plan states none.
        baseline: of the plan: the evidence of an experiment, or what else was named; None for none.
        primary: told of experiments without a criterion; None for nothing.
        plan_file: as a person would type it.
    """

    evidence: Evidence
    jobs: Sequence[JobReport]
    criterion: Criterion | None
    outcome: Outcome | None
    baseline: Evidence | str | None
    primary: str | None
    plan_file: str

    @property
    def metric(self) -> str | None:
        """The one it is about."""
        return self.criterion.metric if self.criterion else self.primary


def insight(case: Case) -> list[str]:
    """What the evidence shows, one line each."""
    if not case.evidence.seeds:
        finished = any(job.state == "done" for job in case.jobs)
        return [f"no seed of it {'can be read any more' if finished else 'has finished'}: nothing is known"]
    lines = [_meaning(case.criterion, case.outcome)] if case.criterion and case.outcome else []
    lines += _spread(case)
    if len(case.evidence.seeds) < len(case.jobs):
        lines.append(f"this rests on {len(case.evidence.seeds)} of {len(case.jobs)} seeds")
    fallbacks = {seed.job.fallback for seed in case.evidence.seeds}
    if len(fallbacks) > 1:
        lines.append("its seeds are not of one configuration, some ran with a fallback: read it with care")
    return [line for line in lines if line]


def next_steps(case: Case) -> list[NextStep]:
    """What to do, the most important first."""
    steps: list[NextStep] = []
    if case.criterion and case.outcome and case.evidence.seeds:
        steps += _after(case, case.criterion, case.outcome)
    concerned: dict[str, list[str]] = {}
    for job in case.jobs:
        for said in _about(job, case.plan_file):
            concerned.setdefault(said, []).append(job.job)
    return [*steps, *(NextStep(said=f"{', '.join(jobs)}: {said}") for said, jobs in concerned.items())]


def _meaning(criterion: Criterion, outcome: Outcome) -> str:
    """The outcome as an answer to the hypothesis."""
    if outcome.difference is not None:
        apart = signed(outcome.difference, outcome.difference_low, outcome.difference_high)
        ends = {outcome.difference_low or 0.0, outcome.difference_high or 0.0}
        rising = higher_is_better(criterion.metric)
        worse = all(end < 0 if rising else end > 0 for end in ends)
        no = "worse than" if worse else "no improvement that was worth finding over"
        told = {
            "met": f"better than {criterion.baseline} by {apart}",
            "not met": f"{no} {criterion.baseline}: {apart}",
            "undecided": f"whether it is better than {criterion.baseline} is open: {apart}",
        }
        return told[outcome.status]
    if criterion.value is None or outcome.low is None or outcome.high is None:
        return ""
    near = outcome.high if (criterion.op or "").startswith(">") else outcome.low
    far = outcome.low if (criterion.op or "").startswith(">") else outcome.high
    told = {
        "met": f"beyond {criterion.value:g} by {abs(far - criterion.value):.3f} at least",
        "not met": f"short of {criterion.value:g} by {abs(near - criterion.value):.3f} even at best",
        "undecided": f"{criterion.value:g} lies within {outcome.low:.3f} to {outcome.high:.3f}",
    }
    return told[outcome.status]


def _spread(case: Case) -> list[str]:
    """How far seeds lie apart, beside how far images leave it open."""
    if case.metric is None:
        return []
    found = [case.evidence.measured(seed, case.metric) for seed in case.evidence.seeds]
    values = [one.value for one in found if one and one.value is not None]
    if len(values) < 2:
        return []
    apart = f"{min(values):.3f} to {max(values):.3f} (standard deviation {stdev(values):.3f})"
    return [f"{case.metric} of its {len(values)} seeds: {apart}"]


def _after(case: Case, criterion: Criterion, outcome: Outcome) -> list[NextStep]:
    """What a judged criterion calls for."""
    name = selector(case.evidence)
    look = NextStep(
        said="see where and why it is wrong",
        command=command_line("analyze-errors", ["--run", name]) if name else "",
    )
    if outcome.status == "not met":
        return [look]
    if outcome.status == "met":
        return _promotion(case, name)
    steps = []
    if outcome.needed:
        steps.append(NextStep(said=outcome.needed))
    if outcome.seeds_needed:
        both = f" and {criterion.baseline}" if isinstance(case.baseline, Evidence) else ""
        said = f"give {case.evidence.experiment}{both} {outcome.seeds_needed} seeds in {case.plan_file}"
        steps.append(NextStep(said=said))
    elif outcome.images_needed and not case.evidence.folds:
        said = "kind: cross-validate judges the training images too, each by a network that has not seen it"
        steps.append(NextStep(said=said))
    return steps


def _promotion(case: Case, name: str | None) -> list[NextStep]:
    """What a hypothesis that holds calls for."""
    if case.baseline is None or case.baseline is case.evidence:
        return []
    baseline = case.baseline if isinstance(case.baseline, str) else selector(case.baseline)
    if not name or not baseline:
        said = "its runs have no name in common: compare single runs before one is made the baseline"
        return [NextStep(said=said)]
    words = ["--baseline", baseline, "--candidate", name, "--promote"]
    said = "make it the baseline, if all gates pass"
    return [NextStep(said=said, command=command_line("compare-baselines", words))]


def _about(job: JobReport, plan_file: str) -> list[str]:
    """What a job that is not done calls for."""
    if job.state in FAILED and job.advice:
        return list(job.advice)
    if job.state == "timeout":
        return [f"give it a longer limit in {plan_file}, or fewer epochs"]
    if job.state in FAILED and job.log:
        return [f"its last words stand in the queue's folder, {job.log}"]
    return []


def selector(its: Evidence) -> str | None:
    """What `compare-baselines` and `analyze-errors` call these runs; None where no one word means them."""
    if not its.seeds:
        return None
    if its.folds:
        return its.seeds[0].place.id if len(its.seeds) == 1 else None
    names = set()
    for seed in its.seeds:
        manifest = seed.place.read().manifest if isinstance(seed.place, RunDir) else None
        names.add(manifest.name if manifest else None)
    return names.pop() if len(names) == 1 else None
