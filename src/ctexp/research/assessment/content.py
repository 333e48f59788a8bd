"""What an experiment's figures amount to, by rule: each criterion, the confidence, the recommendation."""

from dataclasses import dataclass
from typing import Literal

from ctexp.research.figures import Figure
from ctexp.research.plan.content import Criterion

Verdict = Literal["met", "borderline", "failed", "missing"]
Confidence = Literal["high", "moderate", "low"]
Status = Literal["not_started", "in_progress", "completed", "blocked", "failed", "pivoted"]
Recommendation = Literal["proceed", "pivot", "investigate", "block"]


@dataclass(frozen=True)
class Judged:
    """One criterion.

    Attributes:
        figure: what was measured; None where nothing was.
        sub: whose figure it is.
        said: why the verdict is so, one sentence with its numbers.
        why: the same without them, for a table that has them.
    """

    criterion: Criterion
    verdict: Verdict
    figure: Figure | None
    sub: str
    said: str
    why: str = ""


@dataclass(frozen=True)
class Assessment:
    """An experiment.

    Attributes:
        met: whether every criterion is met by completed, real and up-to-date answers.
        confidence_notes: what the confidence rests on.
        notes: why it is recommended, a sentence each.
        blockers: what stands in the way, a line each.
        issues: what a reader has to know before believing this, a line each.
        stub: whether any of it is made up.
    """

    experiment: str
    status: Status
    criteria: tuple[Judged, ...]
    met: bool
    confidence: Confidence
    confidence_notes: tuple[str, ...]
    recommendation: Recommendation
    notes: tuple[str, ...]
    blockers: tuple[str, ...] = ()
    issues: tuple[str, ...] = ()
    stub: bool = False
