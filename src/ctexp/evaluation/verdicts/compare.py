"""One baseline, one or more candidates: the whole comparison as one document."""

from collections.abc import Callable, Sequence
from typing import Any

from ctexp.config.verdict import VerdictSettings
from ctexp.evaluation import comparison
from ctexp.evaluation.answers import Answers
from ctexp.evaluation.comparison import Judged
from ctexp.evaluation.verdicts.changes import changes, spreads
from ctexp.evaluation.verdicts.configs import setup
from ctexp.evaluation.verdicts.costs import cost
from ctexp.evaluation.verdicts.documents import (
    Candidate,
    Comparison,
    Cost,
    Costs,
    MetricVerdict,
    Side,
)
from ctexp.evaluation.verdicts.gates import decide, gates
from ctexp.evaluation.verdicts.images import matched
from ctexp.evaluation.verdicts.target import target

Progress = Callable[[str, int, int], None]
"""Told of (step, done, total)."""


def compare(
    baseline: Answers,
    candidates: Sequence[Answers],
    settings: VerdictSettings,
    *,
    intersect: bool = False,
    progress: Progress = lambda _step, _done, _total: None,
) -> Comparison:
    """Compare candidates with a baseline, and decide about each.

    Args:
        baseline: its answers.
        candidates: theirs, at least one.
        settings: what it takes to be better.
        intersect: compare on the images that all have judged, where the sets differ.
        progress: told after each pair.

    Raises:
        DataError: the images differ, or a configuration cannot be read.
    """
    same = matched([baseline, *candidates], intersect=intersect)
    first, *others = same.answers
    family = tuple(settings.metrics)
    pairs = []
    for done, its in enumerate(others, start=1):
        pairs.append(comparison.pair(first.tables, its.tables, family))
        progress("comparing", done, len(others))
    judged = comparison.judge(pairs, settings.alpha)
    spent = cost(first.subject, first.split)
    told = [
        _candidate(first, its, (baseline, whole), verdicts, settings, spent)
        for its, whole, verdicts in zip(others, candidates, judged, strict=True)
    ]
    splits = {its.split for its in same.answers}
    return Comparison(
        split=splits.pop() if len(splits) == 1 else "oof",
        images=pairs[0].images,
        groups=pairs[0].groups,
        image_set=same.sha256,
        left_out=same.left_out,
        alpha=settings.alpha,
        family=family,
        primary=settings.primary,
        worthwhile=settings.worthwhile,
        baseline=Side(**_side(first)),
        candidates=tuple(told),
    )


def _candidate(
    baseline: Answers,
    candidate: Answers,
    whole: tuple[Answers, Answers],
    judged: Judged,
    settings: VerdictSettings,
    spent: Cost,
) -> Candidate:
    """One candidate; `whole` are both sides' answers before images were left out."""
    family = tuple(judged.metrics)
    before, after = spreads(baseline, family), spreads(candidate, family)
    metrics = {
        name: MetricVerdict(
            **{field: value for field, value in vars(verdict).items() if field in _TAKEN},
            of_baseline=before[name],
            of_candidate=after[name],
        )
        for name, verdict in judged.metrics.items()
    }
    changed = changes(baseline, candidate)
    differing, identical, warnings = setup(*whole)
    subject = candidate.subject
    split = candidate.split
    passed = gates(metrics, subject, split, settings)
    decided = decide(metrics, passed, settings)
    return Candidate(
        **_side(candidate),
        metrics=metrics,
        mcnemar=judged.mcnemar,
        delong=judged.delong,
        classes=changed.classes,
        newly_wrong=changed.newly_wrong,
        newly_right=changed.newly_right,
        cost=Costs(baseline=spent, candidate=cost(subject, split)),
        differing=differing,
        identical=identical,
        target=target(subject, settings.target),
        warnings=(*warnings, *_chosen_here(subject.said, split)),
        gates=passed,
        decision=decided.choice,
        reason=decided.reason,
        next=decided.next,
        scope=judged.scope,
    )


_TAKEN = MetricVerdict.model_fields.keys() - {"of_baseline", "of_candidate"}


def _side(answers: Answers) -> dict[str, Any]:
    subject = answers.subject
    return {
        "said": subject.said,
        "title": subject.title,
        "kind": subject.kind,
        "seeds": tuple(answers.seeds),
        "runs": tuple(run.id for run in subject.runs),
        "notes": subject.notes,
    }


def _chosen_here(said: str, split: str) -> list[str]:
    if said == "best" and split == "val":
        return ["best was chosen by these very images: its figures flatter it"]
    return []
