"""All rules together: status, criteria, confidence, recommendation, and what stands in the way."""

from collections.abc import Mapping, Sequence

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
from ctexp.research.parts import Part
from ctexp.research.plan.content import Experiment


def assess(
    experiment: Experiment,
    parts: Mapping[str, Part],
    *,
    blockers: Sequence[str] = (),
    replaced: bool = False,
) -> Assessment:
    """Assess an experiment by the answers of its parts that count: completed, real, and of today.

    Args:
        experiment: as the plan has it.
        parts: all of it, by id; without parts it can never be answered.
        blockers: what stands in the way beyond the answers, such as dependencies, a line each.
        replaced: whether another experiment is the pivot of this one.
    """
    counted = {sub: part.answer for sub, part in parts.items() if part.answer and part.state == "completed"}
    whole = bool(counted) and len(counted) == len(parts)
    criteria = tuple(judge(criterion, counted) for criterion in experiment.criteria.values())
    sure, why = confidence(criteria, counted)
    standing = (*blockers, *_unanswered(parts), *(_untold(criteria) if whole else ()))
    stubs = [sub for sub, part in parts.items() if part.answer and part.answer.stub]
    if stubs:
        recommendation: Recommendation = "block"
        notes: tuple[str, ...] = ("these figures are made up, to try the wiring: they say nothing",)
    elif standing or not whole:
        recommendation = "block"
        notes = standing or ("the plan names no part of it that could be answered",)
    else:
        recommendation, notes = _recommend(experiment, criteria, sure)
    return Assessment(
        experiment=experiment.id,
        status=_status(parts, criteria, whole=whole, blocked=bool(blockers), replaced=replaced),
        criteria=criteria,
        met=bool(criteria) and whole and all(one.verdict == "met" for one in criteria),
        confidence=sure,
        confidence_notes=why,
        recommendation=recommendation,
        notes=notes,
        blockers=standing,
        issues=(
            *(f"{sub}: {part.said}" for sub, part in parts.items() if part.state == "damaged"),
            *(f"{sub}: made-up figures of a stub run" for sub in stubs),
        ),
        stub=bool(stubs),
    )


def _unanswered(parts: Mapping[str, Part]) -> list[str]:
    return [
        f"{sub}: {'failed: ' if part.state == 'failed' else ''}{part.said}"
        for sub, part in parts.items()
        if part.state != "completed"
    ]


def _untold(criteria: Sequence[Judged]) -> list[str]:
    """Criteria without a figure; while parts are unanswered, those are what there is to say."""
    return [one.said for one in criteria if one.verdict == "missing"]


def _status(
    parts: Mapping[str, Part], criteria: Sequence[Judged], *, whole: bool, blocked: bool, replaced: bool
) -> Status:
    if whole:
        return "pivoted" if replaced and _said(criteria, "failed") else "completed"
    if any(part.answer and part.answer.error and part.state in ("failed", "stub") for part in parts.values()):
        return "failed"
    if all(part.answer is None for part in parts.values()):
        return "blocked" if blocked else "not_started"
    return "in_progress"


def _recommend(
    experiment: Experiment, criteria: Sequence[Judged], sure: Confidence
) -> tuple[Recommendation, tuple[str, ...]]:
    """Of an experiment that is answered: the first that applies, and why, a sentence each."""
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


def _said(criteria: Sequence[Judged], verdict: Verdict) -> tuple[str, ...]:
    return tuple(one.said for one in criteria if one.verdict == verdict)
