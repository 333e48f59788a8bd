"""Does the network learn too little of the training images, or too much of them alone?"""

from collections.abc import Mapping
from statistics import fmean
from typing import Any

from ctexp.planning.diagnosis.course import STILL, Course, courses, gap_of, half_learned, mixes
from ctexp.planning.diagnosis.evidence import Evidence
from ctexp.planning.diagnosis.figures import absent, agreeing, difference, interval, plain
from ctexp.planning.diagnosis.findings import Finding, Kind

LITTLE = ("at_chance", "underfitting", "vanishing_gradients")


def underfitting(seen: Evidence) -> Finding:
    """Less than half of what there is was learned, or the training ended while it was still learning."""
    found = courses(seen)
    if not found:
        return too_short("underfitting", seen)
    little = [one for one in found if any(rule in one.holding for rule in LITTLE)]
    early = [one for one in found if one not in little and _cut_short(one)]
    little += [one for one in found if one not in (*little, *early) and half_learned(one, seen)]
    evidence = {
        "little_learned": [one.name for one in little],
        "cut_short": [one.name for one in early],
        "train_loss_fall": {one.name: plain(one.train_fall) for one in found},
        "val_loss_fall": {one.name: plain(one.val_fall) for one in found},
    }
    count = len(little) + len(early)
    if not 2 * count > len(found):
        said = "training had come to rest, and had learned"
        return unseen("underfitting", seen, said, evidence, count)
    confidence, why = agreeing(count, len(found), len(seen.incumbent.seeds))
    if little:
        said = _little(little[0])
    else:
        one = early[0]
        said = (
            f"training ended while it still learned: over its last quarter train/loss fell by"
            f" {one.train_fall:.0%} and val/loss by {one.val_fall:.0%}, and epoch {one.best_epoch} of"
            f" {one.epochs} is the best ({one.name})"
        )
    return Finding(
        "underfitting",
        "seen",
        said,
        confidence=confidence,
        why_so_sure=why,
        evidence=evidence,
        headroom=1 - fmean(one.val_accuracy for one in little) if little else None,
        cites=seen.cites,
        refuted_by="a training twice as long, or at another learning rate, that is no better",
    )


def overfitting(seen: Evidence) -> Finding:
    """Validation falls behind training by more than half of which would be worth having, or gets worse again.

    A gap always remains with a thousand images. It is told where even the lower end of its interval is above
    twice `worthwhile`: closing half of it would then be worth a night. Validation's is weighted to training's
    mixture of classes. Training accuracy is that of augmented images, and with mixing that of mixed ones:
    both make the gap look smaller, so that a gap that is seen is one all the same.
    """
    found = courses(seen)
    if not found:
        return too_short("overfitting", seen)
    if seen.guessing:
        trained = sum(one.late_train_accuracy for one in found) / len(found)
        return Finding(
            "overfitting",
            "unknown",
            f"training accuracy reached {trained:.3f} and validation is no better than guessing: before"
            " something carries over there is nothing to lose by fitting too closely",
            cites=seen.cites,
        )
    gaps = {one.name: gap_of(one, seen) for one in found}
    enough = 2 * seen.settings.worthwhile
    wide = [one for one in found if gaps[one.name][1] > enough]
    rising = [one for one in found if "overfitting" in one.holding]
    which = [one for one in found if one in wide or one in rising]
    evidence = {
        "gap": {name: interval(*gap) for name, gap in gaps.items()},
        "val_loss_rises": [one.name for one in rising],
        "told_above": enough,
    }
    if not 2 * len(which) > len(found):
        said = f"training accuracy less validation's is {difference(*_typical(gaps))}"
        doubt = ", of mixed images" if mixes(seen) else ""
        return unseen("overfitting", seen, f"{said}{doubt}", evidence, len(which))
    parts = []
    if wide:
        one = max(wide, key=lambda its: gaps[its.name][0])
        parts.append(
            f"at its best epoch training accuracy is {one.train_accuracy:.3f}, that of validation"
            f" {one.mixed_accuracy:.3f}: a gap of {difference(*gaps[one.name])} ({one.name})"
        )
    if rising:
        parts.append(f"{rising[0].name}: {rising[0].holding['overfitting'].message}")
    confidence, why = agreeing(len(which), len(found), len(seen.incumbent.seeds))
    return Finding(
        "overfitting",
        "seen",
        "; ".join(parts),
        confidence=confidence,
        why_so_sure=why,
        evidence=evidence,
        headroom=max(0.0, _typical(gaps)[0]),
        cites=seen.cites,
        refuted_by="stronger augmentation or regularisation that closes the gap and gains nothing",
    )


def _little(one: Course) -> str:
    found = next((one.holding[rule].message for rule in LITTLE if rule in one.holding), "")
    return f"{one.name}: " + (
        found
        or f"training came to rest with {one.late_train_accuracy:.3f} of its own images right, validation"
        f" with {one.val_accuracy:.3f}: less than half of what there is to learn"
    )


def _cut_short(one: Course) -> bool:
    falling = min(one.train_fall, one.val_fall) > STILL
    return one.whole and one.late_best and falling and "overfitting" not in one.holding


def _typical(gaps: dict[str, tuple[float, float, float]]) -> tuple[float, float, float]:
    return sorted(gaps.values())[len(gaps) // 2]


def unseen(kind: Kind, seen: Evidence, said: str, evidence: Mapping[str, Any], dissent: int) -> Finding:
    """What curves do not show, as surely as so many seeds and images allow."""
    confidence, why = absent(len(seen.incumbent.seeds), seen.images, dissent)
    return Finding(
        kind,
        "not seen",
        said,
        confidence=confidence,
        why_so_sure=why,
        evidence=evidence,
        cites=seen.cites,
        refuted_by="curves of other seeds that show it",
    )


def too_short(kind: Kind, seen: Evidence) -> Finding:
    """What no curve can show."""
    return Finding(kind, "unknown", "no curve has enough epochs to be judged", cites=seen.cites)
