"""Is the network too small for the images?"""

from ctexp.evaluation.intervals import wilson
from ctexp.planning.diagnosis.course import STILL, Course, courses, gap_of, half_learned, images_of, mixes
from ctexp.planning.diagnosis.evidence import Evidence
from ctexp.planning.diagnosis.figures import difference, interval, number, plain
from ctexp.planning.diagnosis.findings import Finding
from ctexp.planning.diagnosis.rules.fitting import LITTLE, not_in_curves, too_short
from ctexp.planning.diagnosis.unseen import unknown

_LEARNED = 0.9
"""A network that gets fewer of its own training images right, and no more, is held back by something."""
_LIKE = 0.05
"""Training and validation accuracy that lie no further apart are taken to be held back by the same."""
_LARGER = 1.5
"""A network with so many times the parameters is a larger one."""


def capacity(seen: Evidence) -> Finding:
    """Training stopped improving with many of its own images wrong, and validation no worse: it is too small.

    Or held back otherwise: a poor learning rate, wrong labels and strong augmentation look the same, so that
    it is never sure without a larger network that was tried.
    """
    found, tried = courses(seen), _larger(seen)
    if tried:
        return _by_trial(seen, tried)
    if not found:
        return too_short("capacity", seen)
    if mixes(seen):
        said = "training accuracy is that of mixed images, and no larger network was tried"
        return unknown("capacity", seen, said)
    if all(half_learned(one, seen) for one in found):
        said = "so little was learned that the network's size need not be why, and no larger one was tried"
        return unknown("capacity", seen, said)
    images = images_of(seen, "train")
    stuck = [one for one in found if _stuck(one, images) and abs(gap_of(one, seen)[0]) <= _LIKE]
    evidence = {
        "train_accuracy": {one.name: plain(one.late_train_accuracy) for one in found},
        "stuck": [one.name for one in stuck],
    }
    if not 2 * len(stuck) > len(found):
        typical = sorted(one.late_train_accuracy for one in found)[len(found) // 2]
        said = f"training accuracy ended at {typical:.3f}"
        return not_in_curves("capacity", seen, said, evidence, len(stuck))
    one = stuck[0]
    low, high = wilson(one.late_train_accuracy, images)
    return Finding(
        "capacity",
        "seen",
        f"training stopped improving at an accuracy of {number(one.late_train_accuracy, low, high)} on its"
        f" own images, {one.val_accuracy:.3f} on validation ({one.name})",
        confidence="low" if len(seen.incumbent.seeds) == 1 else "moderate",
        why_so_sure="a poor learning rate, wrong labels or strong augmentation would look the same",
        evidence=evidence,
        cites=seen.cites,
        refuted_by="a larger network that is no better",
    )


def _stuck(one: Course, images: int) -> bool:
    resting = one.train_fall <= STILL and not any(rule in one.holding for rule in LITTLE)
    return resting and wilson(one.late_train_accuracy, images)[1] < _LEARNED


def _larger(seen: Evidence) -> list[tuple[str, float, float, float]]:
    """Recipes with a larger network, measured on both sides: title, difference and its interval."""
    own = _parameters(seen.incumbent.title, seen)
    sizes = {one.title: _parameters(one.title, seen) for one in seen.recipes}
    found = []
    for one in seen.differences:
        size = sizes.get(one.after)
        if own and size and size >= _LARGER * own and one.measured:
            found.append((one.after, *one.measured))
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
