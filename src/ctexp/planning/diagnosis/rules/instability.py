"""Does training go off course, or end elsewhere each time?"""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from ctexp.core.classes import CLASSES
from ctexp.core.wording import many
from ctexp.evaluation.intervals import wilson
from ctexp.planning.diagnosis.course import Course, courses, half_learned
from ctexp.planning.diagnosis.evidence import Evidence
from ctexp.planning.diagnosis.figures import RARE, agreeing, metric_name, plain, share
from ctexp.planning.diagnosis.findings import Confidence, Finding
from ctexp.planning.diagnosis.unseen import unknown, unseen
from ctexp.planning.study.recipes import Recipe

_RULES = ("divergence", "exploding_gradients")
JUMP, LOSS_JUMP = 0.05, 0.25 * math.log(len(CLASSES))
"""Accuracy and loss that stray further than this about their trend from one epoch to the next are taken to
jump; accuracy has to stray by two standard errors of the images, too. A quarter of log 4 is also what the
rule of health calls a divergence of the training loss."""
_NOTHING = math.log(len(CLASSES))
THROWN = 2 * _NOTHING
"""A loss beyond that of knowing nothing is that of answers which are sure and wrong. Twice as much, before
anything was learned, comes of steps that are too large; it counts where training never got far either."""
_SPREAD = 2.0
"""Seeds are held to spread too far where their deviation is at least so many errors of the images, and would
be by chance once in a hundred times: images and seeds add about as much as each other, or seeds less
(Bouthillier et al. 2021)."""
_NEAR = 2  # settings, in which a recipe that diverged may differ to be taken for a neighbour
_OTHER_RATE = 3.0  # a learning rate so many times as high explains a divergence by itself


def instability(seen: Evidence) -> Finding:
    """Diverged trainings, curves that explode or jump, seeds that end far apart."""
    diverged = [one.id for one in seen.incumbent.lost if one.state == "diverged"]
    found, seeds = courses(seen), len(seen.incumbent.seeds)
    unhealthy = [one for one in found if any(rule in one.began for rule in _RULES)]
    jumping = [one for one in found if _jumps(one, seen)]
    thrown = [one for one in found if one.thrown > THROWN and half_learned(one, seen)]
    near = [] if diverged else _near(seen)
    spread = _spread(seen)
    parts = [_diverged(seen, diverged)] if diverged else []
    for one in unhealthy[:1]:
        rule = next(rule for rule in _RULES if rule in one.began)
        parts.append(f"{one.name}: {one.began[rule].message}")
    for one in sorted(jumping, key=lambda its: -its.val_noise)[:1]:
        parts.append(
            f"validation accuracy strays by {one.val_noise:.3f} and its loss by {one.val_loss_noise:.2f}"
            f" from one epoch to the next (standard deviations, {one.name})"
        )
    for one in thrown[:1]:
        parts.append(
            f"steps threw it so far off that val/loss was {one.thrown:.2f} (no knowledge: {_NOTHING:.2f}),"
            f" and training accuracy stopped at {one.late_train_accuracy:.3f} ({one.name})"
        )
    parts += [spread] if spread else []
    parts += [f"{one.title}, which differs by {what}, diverged" for one, what in near[:1]]
    evidence = {
        "diverged": len(diverged),
        "unhealthy": [one.name for one in unhealthy],
        "thrown": {one.name: plain(one.thrown) for one in thrown},
        "val_accuracy_noise": {one.name: plain(one.val_noise) for one in found},
        "val_loss_noise": {one.name: plain(one.val_loss_noise) for one in found},
        "image_error": None if seen.image_error is None else plain(seen.image_error),
        "neighbours_diverged": [one.title for one, _ in near],
    }
    if parts:
        restless = len({one.name for one in (*unhealthy, *jumping, *thrown)})
        confidence, why = _confidence(len(diverged), restless, len(found), seeds, spread=bool(spread))
        return Finding(
            "instability",
            "seen",
            "; ".join(parts),
            confidence=confidence,
            why_so_sure=why,
            evidence=evidence,
            headroom=1 - fmean(one.val_accuracy for one in thrown) if thrown else None,
            cites=(*seen.cites, *diverged, *(run.id for one, _ in near for run in one.lost)),
            refuted_by="trainings with other seeds whose curves are smooth and whose ends agree",
        )
    return _calm(seen, len(found), evidence)


def all_diverged(failed: Sequence[Recipe]) -> Finding | None:
    """The finding where nothing was ever judged because it diverged; None where nothing did."""
    lost = [run for recipe in failed for run in recipe.lost]
    diverged = [run for run in lost if run.state == "diverged"]
    if not diverged:
        return None
    bounds = wilson(len(diverged) / len(lost), len(lost))
    seeds = len({run.seed for run in diverged})
    confidence, why = agreeing(len(diverged), len(lost), seeds)
    return Finding(
        "instability",
        "seen",
        f"{share(len(diverged), len(lost), bounds)} trainings diverged, and none came to an end",
        confidence=confidence,
        why_so_sure=why,
        evidence={"diverged": len(diverged), "trainings": len(lost)},
        cites=tuple(run.id for run in diverged),
        refuted_by="a training of the same recipe that comes to an end",
    )


def _diverged(seen: Evidence, diverged: Sequence[str]) -> str:
    total = len(diverged) + len(seen.incumbent.runs)
    bounds = wilson(len(diverged) / total, total)
    return f"{share(len(diverged), total, bounds)} trainings of {seen.incumbent.title} diverged"


def _confidence(
    diverged: int, restless: int, trainings: int, seeds: int, *, spread: bool
) -> tuple[Confidence, str]:
    if diverged > 1 or (diverged and restless):
        return "high", f"{many(diverged + restless, 'training')} independently"
    if diverged:
        return "moderate", f"one training diverged, {many(seeds, 'other')} did not"
    if restless:
        return agreeing(restless, trainings, seeds)
    if spread:
        return "moderate", f"{many(seeds, 'seed')}; few seeds say little of a spread"
    return "low", "a neighbour says little of the recipe itself"


def _calm(seen: Evidence, curves: int, evidence: Mapping[str, Any]) -> Finding:
    if not curves:
        said = "no training of it diverged, and no curve has enough epochs to be judged"
        return unknown("instability", seen, said)
    said = f"no training of it diverged, and {many(curves, 'curve')} went smoothly"
    refuted = "a training that diverges, or a seed that ends far from the others"
    return unseen("instability", seen, said, evidence, refuted, seeds=len(seen.incumbent.seeds))


def _jumps(one: Course, seen: Evidence) -> bool:
    error = math.sqrt(one.val_accuracy * (1 - one.val_accuracy) / seen.images) if seen.images else math.inf
    return one.val_noise > max(JUMP, 2 * error) or one.val_loss_noise > LOSS_JUMP


def _near(seen: Evidence) -> list[tuple[Recipe, str]]:
    """Recipes that diverged every time and differ little from the incumbent, with what they differ by."""
    found, own = [], seen.incumbent.settings
    for recipe in seen.failed:
        its = recipe.settings
        changed = sorted(key for key in {*own, *its} if own.get(key) != its.get(key))
        rate, other = own.get("optimizer.lr"), its.get("optimizer.lr")
        too_high = bool(rate and other and other >= _OTHER_RATE * rate)
        if len(changed) <= _NEAR and not too_high and any(run.state == "diverged" for run in recipe.lost):
            found.append((recipe, " and ".join(changed) or "its seeds alone"))
    return found


def _spread(seen: Evidence) -> str:
    """The sentence that seeds spread far beyond what images explain; empty where they do not.

    A chi-squared test of the variance over seeds against that of the images.
    """
    from scipy.special import chdtrc

    values, image = list(seen.values.values()), seen.image_error
    if len(values) < 3 or not image:
        return ""
    mean, df = sum(values) / len(values), len(values) - 1
    variance = sum((value - mean) ** 2 for value in values) / df
    if variance**0.5 < _SPREAD * image or float(chdtrc(df, df * variance / image**2)) > RARE:
        return ""
    return (
        f"{len(values)} seeds spread {metric_name(seen.primary)} by {variance**0.5:.3f}, from"
        f" {min(values):.3f} to {max(values):.3f}; other images would move it by {image:.3f}"
    )
