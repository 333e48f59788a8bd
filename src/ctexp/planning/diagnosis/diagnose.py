"""The diagnosis of a study: every rule asked, the bottleneck chosen, all of it in a sentence or two.

Findings come in the order of `Kind`: what makes figures untrue before what makes them low. The bottleneck is
the first that was seen and is more than a guess, because what stands before it would spoil the proof of
anything done about what comes after; where there are only guesses there is none, and the first is suspected.
"""

from typing import get_args

from ctexp.core.wording import many
from ctexp.planning.diagnosis.established import established
from ctexp.planning.diagnosis.evidence import Evidence, gather
from ctexp.planning.diagnosis.figures import metric_name, number
from ctexp.planning.diagnosis.findings import Diagnosis, Finding, Kind
from ctexp.planning.diagnosis.rules import OF_ANSWERS, RULES, all_diverged, leakage
from ctexp.planning.diagnosis.unseen import unknown
from ctexp.planning.study.study import Study

NAMES: dict[Kind, str] = {
    "leakage": "leakage",
    "noise_floor_unknown": "an unknown noise floor",
    "instability": "instability",
    "label_noise": "wrong labels",
    "cut_short": "training cut short",
    "underfitting": "underfitting",
    "overfitting": "overfitting",
    "imbalance": "imbalance",
    "confused_pair": "a confused pair",
    "calibration": "calibration",
    "capacity": "capacity",
    "resolution": "resolution",
    "seed_variance": "seed variance",
}
"""What to call each in a sentence."""


def diagnose(study: Study) -> Diagnosis:
    """Say what keeps a study's recipes from being better, or that nobody can tell yet."""
    if study.incumbent is None:
        return _without_history(study)
    seen = gather(study, study.incumbent)
    findings = tuple(_asked(kind, seen) for kind in get_args(Kind))
    first, guess = bottleneck(findings), suspected(findings)
    leak = findings[0]  # of leakage: what is compared on images that training holds shows nothing
    stands = () if leak.state == "seen" and "val" in leak.about else established(seen)
    return Diagnosis(
        dataset=study.dataset,
        split=study.split,
        recipes=len(study.recipes),
        runs=sum(len(recipe.runs) for recipe in study.recipes),
        incumbent=study.incumbent.title,
        findings=findings,
        bottleneck=first.kind if first else None,
        established=stands,
        said=_said(seen, findings, first, guess, stands),
        notes=(*study.notes, *seen.notes),
        guessing=seen.guessing,
        suspected=guess.kind if guess else None,
    )


def bottleneck(findings: tuple[Finding, ...]) -> Finding | None:
    """The first that was seen and is more than a guess."""
    return next((one for one in findings if one.state == "seen" and one.confidence != "low"), None)


def suspected(findings: tuple[Finding, ...]) -> Finding | None:
    """The first guess, where there is nothing but guesses."""
    seen = [one for one in findings if one.state == "seen"]
    return seen[0] if seen and bottleneck(findings) is None else None


def _asked(kind: Kind, seen: Evidence) -> Finding:
    if kind in OF_ANSWERS:
        if not seen.tables:
            return unknown(kind, seen, "the answers to validation images cannot be read")
        if seen.guessing:
            return unknown(kind, seen, "the answers may be guesses: of those nothing can be told")
    return RULES[kind](seen)


def _without_history(study: Study) -> Diagnosis:
    known = {"leakage": leakage(study.data), "instability": all_diverged(study.failed)}
    findings = tuple(
        known.get(kind) or Finding(kind, "unknown", "nothing has been judged") for kind in get_args(Kind)
    )
    first = bottleneck(findings)
    known_already = f" To be seen to first: {first.said}." if first else ""
    return Diagnosis(
        dataset=study.dataset,
        split=study.split,
        recipes=0,
        runs=0,
        incumbent=None,
        findings=findings,
        bottleneck=first.kind if first else None,
        established=(),
        said=f"Nothing is established yet: no training on these images was judged.{known_already}",
        notes=study.notes,
    )


def _said(
    seen: Evidence,
    findings: tuple[Finding, ...],
    first: Finding | None,
    guess: Finding | None,
    stands: tuple[str, ...],
) -> str:
    title = seen.incumbent.title
    if seen.guessing:
        entry = seen.summary["metrics"][seen.primary]
        figure = number(entry["value"], entry["low"], entry["high"])
        advice = f" To be seen to first: {first.said}." if first else ""
        advice = f" Suspected: {NAMES[guess.kind]} (low confidence): {guess.said}." if guess else advice
        return (
            f"Nothing is established yet: the answers of {title} may be guesses"
            f" ({metric_name(seen.primary)} {figure}).{advice}"
        )
    if guess is not None:
        return f"No bottleneck is sure; suspected: {NAMES[guess.kind]} (low confidence): {guess.said}."
    if first is None:
        open_still = ", ".join(NAMES[one.kind] for one in findings if one.state == "unknown")
        untold = f" Of this nobody can tell: {open_still}." if open_still else ""
        return f"No bottleneck was seen in {many(len(seen.recipes), 'recipe')} around {title}.{untold}"
    sure = "" if first.confidence == "high" else f" ({first.confidence} confidence)"
    more = [
        NAMES[one.kind]
        for one in findings
        if one.state == "seen" and one is not first and one.confidence != "low"
    ]
    besides = f" Seen besides: {', '.join(more)}." if more else ""
    named = f"The bottleneck is {NAMES[first.kind]}{sure}: {first.said}.{besides}"
    if first.kind in ("leakage", "noise_floor_unknown", "seed_variance") and not stands:
        return f"Nothing is established yet. {named}"
    return named
