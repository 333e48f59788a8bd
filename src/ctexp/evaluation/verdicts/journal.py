"""A comparison as lines of `research/decisions.jsonl`, one for each candidate."""

from ctexp.core import clock
from ctexp.evaluation.verdicts.documents import Comparison
from ctexp.record.decisions import Decision, PrimaryFigures
from ctexp.record.git import GitState


def decisions(comparison: Comparison, *, command: str, reason: str, source: GitState) -> list[Decision]:
    """What to write down.

    Args:
        comparison: what was found.
        command: what asked for it.
        reason: the user's; where it is empty, what decided.
        source: the code that compared.
    """
    now = clock.iso(clock.now())
    found = []
    for candidate in comparison.candidates:
        figures = candidate.metrics[comparison.primary].model_dump()
        fields = PrimaryFigures.model_fields.keys() - {"metric"}
        found.append(
            Decision(
                time=now,
                command=command,
                baseline=comparison.baseline.title,
                baseline_runs=comparison.baseline.runs,
                candidate=candidate.title,
                candidate_runs=candidate.runs,
                split=comparison.split,
                images=comparison.images,
                image_set=comparison.image_set,
                alpha=comparison.alpha,
                decision=candidate.decision,
                primary=PrimaryFigures(metric=comparison.primary, **{key: figures[key] for key in fields}),
                gates=candidate.gates,
                reason=reason or candidate.reason,
                commit=source.commit,
                dirty=source.dirty,
            )
        )
    return found
