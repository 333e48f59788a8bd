"""All rules together: status, criteria, confidence, recommendation, and what stands in the way."""

from collections.abc import Mapping, Sequence

from ctexp.research.assessment.answered import Answered, answered
from ctexp.research.assessment.confidence import confidence
from ctexp.research.assessment.content import (
    Assessment,
    Confidence,
    Judged,
    Recommendation,
    Status,
    Verdict,
)
from ctexp.research.assessment.criteria import judge
from ctexp.research.plan.content import Experiment
from ctexp.research.record import Answer, Basis


def assess(
    experiment: Experiment,
    answers: Mapping[str, Answer | None],
    basis_now: Mapping[str, Basis],
    *,
    blockers: Sequence[str] = (),
    issues: Sequence[str] = (),
    replaced_by: str = "",
) -> Assessment:
    """Assess an experiment by its answers.

    Args:
        experiment: as the plan has it.
        answers: by part; None or nothing where there is no record that can be read.
        basis_now: what each part would rest on now, `basis.today`; an answer without it is out of date.
        blockers: what stands in the way beyond the answers, such as dependencies, a line each.
        issues: what else a reader has to know, a line each.
        replaced_by: the experiment that is the pivot of this one; empty where there is none.
    """
    its = answered(experiment, answers, basis_now)
    criteria = tuple(judge(criterion, its) for criterion in experiment.criteria.values())
    sure, why = confidence(criteria, its)
    standing = (*blockers, *_unanswered(its), *_untold(criteria, its))
    recommendation, notes = _recommend(experiment, criteria, its, sure, standing)
    return Assessment(
        experiment=experiment.id,
        status=_status(its, criteria, blockers, replaced_by),
        criteria=criteria,
        met=bool(criteria) and its.whole and all(one.verdict == "met" for one in criteria),
        confidence=sure,
        confidence_notes=why,
        recommendation=recommendation,
        notes=notes,
        blockers=standing,
        issues=(*issues, *(f"{sub}: made-up figures of a stub run" for sub in its.stubs)),
        stub=bool(its.stubs),
    )


def _unanswered(its: Answered) -> list[str]:
    return [f"{sub}: {why}" for sub, why in its.others.items()]


def _untold(criteria: Sequence[Judged], its: Answered) -> list[str]:
    """Criteria without a figure; while parts are unanswered, that is what there is to say."""
    return [one.said for one in criteria if one.verdict == "missing"] if its.whole else []


def _status(its: Answered, criteria: Sequence[Judged], blockers: Sequence[str], replaced_by: str) -> Status:
    if its.whole:
        return "pivoted" if replaced_by and _any(criteria, "failed") else "completed"
    if its.failed:
        return "failed"
    if not its.counted and all(why == "not answered yet" for why in its.others.values()):
        return "blocked" if blockers else "not_started"
    return "in_progress"


def _recommend(
    experiment: Experiment,
    criteria: Sequence[Judged],
    its: Answered,
    sure: Confidence,
    standing: Sequence[str],
) -> tuple[Recommendation, tuple[str, ...]]:
    """The first that applies, and why, a sentence each."""
    if its.stubs:
        return "block", ("these figures are made up, to try the wiring: they say nothing",)
    if standing or not its.whole:
        return "block", (*standing,) or ("the plan names no part of it that could be answered",)
    failed = _said(criteria, "failed")
    if failed and experiment.kind != "question":
        return "pivot", failed
    if failed:
        return "investigate", failed
    if not criteria:
        return "investigate", ("it has no criteria: what its figures mean is for people to say",)
    if borderline := _said(criteria, "borderline"):
        return "investigate", borderline
    if sure == "low":
        return "investigate", ("every criterion is met, but the confidence is low",)
    return "proceed", _said(criteria, "met")


def _any(criteria: Sequence[Judged], verdict: Verdict) -> bool:
    return any(one.verdict == verdict for one in criteria)


def _said(criteria: Sequence[Judged], verdict: Verdict) -> tuple[str, ...]:
    return tuple(one.said for one in criteria if one.verdict == verdict)
