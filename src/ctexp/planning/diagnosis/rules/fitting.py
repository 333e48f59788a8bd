"""Does the network learn too little of the training images, or too much of them alone?"""

from collections.abc import Mapping
from typing import Any

from ctexp.evaluation.intervals import wilson
from ctexp.planning.diagnosis.course import Course, courses, mixes
from ctexp.planning.diagnosis.evidence import Evidence
from ctexp.planning.diagnosis.figures import absent, agreeing, difference, interval, newcombe, number, plain
from ctexp.planning.diagnosis.findings import Finding, Kind

_STILL = 0.05
"""A loss that fell by more than this share of itself over the last quarter was still falling; the rule of
health calls a training loss that falls by less at rest."""
_LITTLE = ("at_chance", "underfitting", "vanishing_gradients")
_HALF = 0.5
"""Of the way from always answering the largest class to all images right."""
_LEARNED = 0.9
"""A network that gets fewer of its own training images right, and no more, is held back by something."""
_LIKE = 0.05
"""Training and validation accuracy that lie no further apart are taken to be held back by the same."""
_LARGER = 1.5
"""A network with so many times the parameters is a larger one."""


def underfitting(seen: Evidence) -> Finding:
    """Less than half of what there is was learned, or the training ended while it was still learning."""
    found = courses(seen)
    if not found:
        return _too_short("underfitting", seen)
    little = [one for one in found if any(rule in one.holding for rule in _LITTLE)]
    early = [one for one in found if one not in little and _cut_short(one)]
    little += [one for one in found if one not in (*little, *early) and half_learned(one, seen)]
    evidence = {
        "little_learned": [one.name for one in little],
        "cut_short": [one.name for one in early],
        "train_loss_fall": {one.name: plain(one.train_fall) for one in found},
        "val_loss_fall": {one.name: plain(one.val_fall) for one in found},
    }
    count = len(little) + len(early)
    if not 2 * count >= len(found):
        said = "training had come to rest, and had learned"
        return _absent("underfitting", seen, said, evidence, count)
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
        return _too_short("overfitting", seen)
    if seen.guessing:
        trained = sum(one.late_train_accuracy for one in found) / len(found)
        return Finding(
            "overfitting",
            "unknown",
            f"training accuracy reached {trained:.3f} and validation is no better than guessing: before"
            " something carries over there is nothing to lose by fitting too closely",
            cites=seen.cites,
        )
    gaps = {one.name: _gap(one, seen) for one in found}
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
        return _absent("overfitting", seen, f"{said}{doubt}", evidence, len(which))
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
        cites=seen.cites,
        refuted_by="stronger augmentation or regularisation that closes the gap and gains nothing",
    )


def capacity(seen: Evidence) -> Finding:
    """Training came to rest with many of its own images wrong, and validation no worse: it is too small.

    Or held back otherwise: a poor learning rate, wrong labels and strong augmentation look the same, so that
    it is never sure without a larger network that was tried.
    """
    found, tried = courses(seen), _larger(seen)
    if tried:
        return _by_trial(seen, tried)
    if not found:
        return _too_short("capacity", seen)
    if mixes(seen):
        return Finding(
            "capacity",
            "unknown",
            "training accuracy is that of mixed images, and no larger network was tried",
            cites=seen.cites,
        )
    if all(half_learned(one, seen) for one in found):
        return Finding(
            "capacity",
            "unknown",
            "so little was learned that the size of the network need not be why, and no larger one was tried",
            cites=seen.cites,
        )
    images = _images(seen, "train")
    stuck = [one for one in found if _stuck(one, images) and abs(_gap(one, seen)[0]) <= _LIKE]
    evidence = {
        "train_accuracy": {one.name: plain(one.late_train_accuracy) for one in found},
        "stuck": [one.name for one in stuck],
    }
    if not 2 * len(stuck) > len(found):
        typical = sorted(one.late_train_accuracy for one in found)[len(found) // 2]
        said = f"training accuracy ended at {typical:.3f}"
        return _absent("capacity", seen, said, evidence, len(stuck))
    one = stuck[0]
    low, high = wilson(one.late_train_accuracy, images)
    return Finding(
        "capacity",
        "seen",
        f"training came to rest at an accuracy of {number(one.late_train_accuracy, low, high)} on its own"
        f" images, {one.val_accuracy:.3f} on validation ({one.name})",
        confidence="low" if len(seen.incumbent.seeds) == 1 else "moderate",
        why_so_sure="a poor learning rate, wrong labels or strong augmentation would look the same",
        evidence=evidence,
        cites=seen.cites,
        refuted_by="a larger network that is no better",
    )


def half_learned(one: Course, seen: Evidence) -> bool:
    """Whether it came to rest below half of the way, on training and validation both.

    Mixed images cannot all be right: with mixing training accuracy does not tell.
    """
    counts = seen.data.rows.get("train", {}) if seen.data else {}
    if not counts or mixes(seen):
        return False
    chance = max(counts.values()) / sum(counts.values())
    half = chance + _HALF * (1 - chance)
    high = wilson(one.late_train_accuracy, _images(seen, "train"))[1]
    return one.train_fall <= _STILL and high < half and one.mixed_accuracy < half


def _little(one: Course) -> str:
    found = next((one.holding[rule].message for rule in _LITTLE if rule in one.holding), "")
    return f"{one.name}: " + (
        found
        or f"training came to rest with {one.late_train_accuracy:.3f} of its own images right, validation"
        f" with {one.val_accuracy:.3f}: less than half of what there is to learn"
    )


def _cut_short(one: Course) -> bool:
    falling = min(one.train_fall, one.val_fall) > _STILL
    return one.whole and one.late_best and falling and "overfitting" not in one.holding


def _stuck(one: Course, images: int) -> bool:
    resting = one.train_fall <= _STILL and not any(rule in one.holding for rule in _LITTLE)
    return resting and wilson(one.late_train_accuracy, images)[1] < _LEARNED


def _gap(one: Course, seen: Evidence) -> tuple[float, float, float]:
    """Training less validation accuracy at the best epoch, of the same classes, by independent images."""
    return newcombe(one.train_accuracy, _images(seen, "train"), one.mixed_accuracy, one.mixed_images)


def _typical(gaps: dict[str, tuple[float, float, float]]) -> tuple[float, float, float]:
    return sorted(gaps.values())[len(gaps) // 2]


def _images(seen: Evidence, split: str) -> int:
    """Independent images of a split."""
    groups = seen.data.groups.get(split, {}) if seen.data else {}
    return max(1, sum(groups.values()))


def _larger(seen: Evidence) -> list[tuple[str, float, float, float]]:
    """Recipes with a larger network, measured on both sides: title, difference and its interval."""
    own = _parameters(seen.incumbent.title, seen)
    sizes = {one.title: _parameters(one.title, seen) for one in seen.recipes}
    found = []
    for one in seen.differences:
        size = sizes.get(one.after)
        if not own or not size or size < _LARGER * own or one.seed_source == "assumed":
            continue
        if one.difference is not None and one.low is not None and one.high is not None:
            found.append((one.after, one.difference, one.low, one.high))
    return found


def _parameters(title: str, seen: Evidence) -> int | None:
    recipe = next(one for one in seen.recipes if one.title == title)
    return next((one.summary.parameters for one in recipe.runs), None)


def _by_trial(seen: Evidence, tried: list[tuple[str, float, float, float]]) -> Finding:
    """What a larger network showed; the best of them speaks."""
    title, *figures = max(tried, key=lambda its: its[1])
    gain, low, high = figures
    helped, ruled_out = low > 0, high < seen.settings.worthwhile
    cites = tuple(dict.fromkeys(run for one in seen.differences if one.after == title for run in one.cites))
    said = f"{title}, a larger network, differs by {difference(gain, low, high)}"
    evidence = {"recipe": title, "difference": interval(gain, low, high)}
    if not (helped or ruled_out):
        undecided = f"{said}, which decides nothing"
        return Finding("capacity", "unknown", undecided, evidence=evidence, cites=cites)
    return Finding(
        "capacity",
        "seen" if helped else "not seen",
        said,
        confidence="moderate",
        why_so_sure="a larger network was tried; networks differ in more than size",
        evidence=evidence,
        cites=cites,
        refuted_by="another larger network that is no better"
        if helped
        else "a larger network that is better",
    )


def _absent(kind: Kind, seen: Evidence, said: str, evidence: Mapping[str, Any], dissent: int) -> Finding:
    confidence, why = absent(len(seen.incumbent.seeds), _images(seen, "val"), dissent)
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


def _too_short(kind: Kind, seen: Evidence) -> Finding:
    return Finding(kind, "unknown", "no curve has enough epochs to be judged", cites=seen.cites)
