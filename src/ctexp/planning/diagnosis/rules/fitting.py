"""Does the network learn too little of the training images, too briefly, or too much of them alone?"""

from collections.abc import Mapping
from statistics import fmean
from typing import Any

from ctexp.planning.diagnosis.course import Course, courses, cut_off, gap_of, half_learned, mixes
from ctexp.planning.diagnosis.evidence import Evidence
from ctexp.planning.diagnosis.figures import agreeing, difference, interval, plain
from ctexp.planning.diagnosis.findings import Confidence, Finding, Kind
from ctexp.planning.diagnosis.unseen import unknown, unseen

LITTLE = ("at_chance", "underfitting", "vanishing_gradients")


def cut_short(seen: Evidence) -> Finding:
    """The epochs were over while the network still learned: what more of them would bring nobody has seen."""
    found = courses(seen)
    if not found:
        return too_short("cut_short", seen)
    early = [one for one in found if cut_off(one, seen)]
    evidence = {"cut_short": [one.name for one in early], **_falls(found)}
    if not 2 * len(early) > len(found):
        one = sorted(found, key=lambda its: its.train_fall)[len(found) // 2]
        said = (
            f"over the last {one.late} of {one.epochs} epochs train/loss {_fell(one.train_fall)} and val/loss"
            f" {_fell(one.val_fall)} ({one.name})"
        )
        return not_in_curves("cut_short", seen, said, evidence, len(early))
    one = early[0]
    confidence, why = _surely(len(early), len(found), seen)
    return Finding(
        "cut_short",
        "seen",
        f"training was cut off at epoch {one.epochs} of {one.epochs} while it still learned: train/loss fell"
        f" by {one.train_fall:.0%} over its last {one.late} epochs ({one.name})",
        confidence=confidence,
        why_so_sure=why,
        evidence=evidence,
        headroom=1 - fmean(one.val_accuracy for one in early),
        cites=seen.cites,
        refuted_by="a training twice as long that is no better",
    )


def underfitting(seen: Evidence) -> Finding:
    """Less than half of what there is was learned, and the training loss did not fall any more."""
    found = courses(seen)
    if not found:
        return too_short("underfitting", seen)
    early = [one for one in found if cut_off(one, seen)]
    if 2 * len(early) > len(found):
        said = "training was cut off while it still learned: how much it learns in the end nobody has seen"
        return unknown("underfitting", seen, said, _falls(found))
    little = [
        one
        for one in found
        if one not in early and (any(rule in one.holding for rule in LITTLE) or half_learned(one, seen))
    ]
    evidence = {"little_learned": [one.name for one in little], **_falls(found)}
    if not 2 * len(little) > len(found):
        typical = sorted(one.late_train_accuracy for one in found)[len(found) // 2]
        said = f"training got {typical:.3f} of its own images right in the end"
        return not_in_curves("underfitting", seen, said, evidence, len(little))
    confidence, why = _surely(len(little), len(found), seen)
    return Finding(
        "underfitting",
        "seen",
        _little(little[0]),
        confidence=confidence,
        why_so_sure=why,
        evidence=evidence,
        headroom=1 - fmean(one.val_accuracy for one in little),
        cites=seen.cites,
        refuted_by="a training twice as long, or at another learning rate, that is no better",
    )


def _surely(count: int, trainings: int, seen: Evidence) -> tuple[Confidence, str]:
    """Where nothing carries over to validation there may be nothing in the images to learn."""
    if seen.guessing:
        return "low", "the answers may be guesses: there may be nothing to learn"
    return agreeing(count, trainings, len(seen.incumbent.seeds))


def _fell(share: float) -> str:
    return f"{'fell' if share >= 0 else 'rose'} by {abs(share):.0%}"


def _falls(found: tuple[Course, ...]) -> dict[str, Any]:
    return {
        "train_loss_fall": {one.name: plain(one.train_fall) for one in found},
        "val_loss_fall": {one.name: plain(one.val_fall) for one in found},
    }


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
        trained = fmean(one.late_train_accuracy for one in found)
        return unknown(
            "overfitting",
            seen,
            f"training accuracy reached {trained:.3f} and validation is no better than guessing: before"
            " something carries over there is nothing to lose by fitting too closely",
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
        return not_in_curves("overfitting", seen, f"{said}{doubt}", evidence, len(which))
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
        or f"train/loss stopped falling with {one.late_train_accuracy:.3f} of its own images right, and"
        f" {one.val_accuracy:.3f} of validation: less than half of what there is to learn"
    )


def _typical(gaps: dict[str, tuple[float, float, float]]) -> tuple[float, float, float]:
    return sorted(gaps.values())[len(gaps) // 2]


def not_in_curves(
    kind: Kind, seen: Evidence, said: str, evidence: Mapping[str, Any], dissent: int
) -> Finding:
    """What curves do not show, as surely as so many seeds and images allow."""
    refuted, seeds = "curves of other seeds that show it", len(seen.incumbent.seeds)
    return unseen(kind, seen, said, evidence, refuted, seeds=seeds, dissent=dissent)


def too_short(kind: Kind, seen: Evidence) -> Finding:
    """What no curve can show."""
    return unknown(kind, seen, "no curve has enough epochs to be judged")
