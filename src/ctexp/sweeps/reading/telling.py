"""What readers say of a sweep, in the same words on a terminal and on a page."""

import shlex
from typing import TYPE_CHECKING

from ctexp.record.manifest import command_line

if TYPE_CHECKING:
    from ctexp.sweeps.reading.opened import Opened
    from ctexp.sweeps.reading.standing import Standing
    from ctexp.sweeps.reading.summary import Summary, Trial

_NAMED = 8  # of trials that share a value


def measured(mean: float | None, error: float | None, members: int) -> str:
    """`0.812 ± 0.011 (standard error of 3 trainings)`."""
    if mean is None:
        return "no value"
    if error is None:
        return f"{mean:.4f} of one training: how much another seed would change it is not known"
    return f"{mean:.4f} ± {error:.4f} (standard error of {members} trainings)"


def verdict_on(found: "Standing") -> str:
    """Whether it is the best, in a sentence."""
    if found.established and found.rival is not None:
        return (
            f"established: trial {found.best.number} is better than trial {found.rival.number}; {found.why}"
        )
    return f"not established that trial {found.best.number} is the best: {found.why}"


def ties(found: "Standing") -> str:
    """Who shares the runner-up's value, in a line without a full stop; empty where nobody does."""
    if not found.tied:
        return ""
    *others, last = (str(one) for one in found.tied)
    if len(others) > _NAMED:
        others, last = others[:_NAMED], f"{len(found.tied) - _NAMED} more"
    first = found.best if found.best.number in found.tied else found.rival
    called = "best" if first is found.best else "runner-up"
    number = "?" if first is None else first.number
    who = f"trials {', '.join(others)} and {last} have the same value"
    return f"{who}; {number} is called the {called} as the first"


def difference(found: "Standing") -> str:
    """The best less the runner-up, with what the interval holds."""
    effect = found.effect
    if effect is None or effect.difference is None:
        return "undefined"
    if effect.low is None or effect.high is None:
        return f"{effect.difference:+.4f}, no interval: {effect.reason}"
    seeds = (
        "images and seeds" if effect.seed_source == "measured" else "images, and seeds assumed to add as much"
    )
    bounds = f"{effect.low:+.4f} to {effect.high:+.4f}"
    return f"{effect.difference:+.4f} (95 %: {bounds}; {seeds}), on the same {found.images:,} images"


def lucky(its: "Opened", found: "Standing") -> str:
    """What choosing the best of many does to its value."""
    said = (
        f"the best of {found.trials} trials was chosen by its luck too, and will show less when trained anew"
    )
    if found.luck is None:
        return f"{said}; by how much is not known of trials with one training each"
    members = "folds" if its.spec.folds else "seeds"
    how = f"it would look {found.luck:.4f} too good by the luck of its {members} alone"
    return f"{said}: were all equally good, {how}"


def night(told: "Summary") -> str:
    """The command that proposes a night of confirming it."""
    return command_line("plan", ["--from", told.id])


def confirmation(told: "Summary") -> list[str]:
    """Commands that train the best and the runner-up with fresh seeds, and compare them.

    None without a runner-up.
    """
    if told.best is None or told.rival is None:
        return []
    best, rival = f"{told.name}-best", f"{told.name}-rival"
    return [
        _trainings(told, best, told.best),
        _trainings(told, rival, told.rival),
        command_line("compare-baselines", ["--baseline", rival, "--candidate", best]),
    ]


def _trainings(told: "Summary", name: str, trial: "Trial") -> str:
    words = shlex.join((*told.base, *trial.words, f"run.name={name}"))
    seeds = " ".join(str(seed) for seed in told.fresh)
    return f"for seed in {seeds}; do scripts/inv train {words} seed=$seed; done"
