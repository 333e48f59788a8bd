"""Which trial is best, and whether it really is better than the next.

The best of many trials is chosen by its luck as well as by its worth, so that what it shows is too good (the
winner's curse). Two things are told apart. Whether it is the best: the difference to the runner-up on the
same images, seeds and images both counted as chance. A two-sided test of these two is a valid test of the
winner whatever the number of trials, since the runner-up is the hardest to beat (Hung & Fithian 2019, Rank
verification for exponential families). How good it is: this the sweep cannot say; were all trials equally
good, the best of n would show about the expected maximum of n errors too much (Blom 1958).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from ctexp.core.errors import CtexpError, DataError
from ctexp.evaluation.comparison.effect import Effect
from ctexp.evaluation.comparison.needed import needed
from ctexp.evaluation.comparison.pairing import Pair, pair
from ctexp.evaluation.out_of_fold import averaged
from ctexp.evaluation.predictions import Predictions
from ctexp.record.manifest import Manifest
from ctexp.sweeps.reading.opened import Opened
from ctexp.sweeps.trials import Row


@dataclass(frozen=True)
class Standing:
    """The best trial, the runner-up, and what is known of the difference.

    Attributes:
        trials: how many finished ones the best was chosen from.
        rival: the runner-up; None for a single trial.
        effect: the best less the runner-up, on the metric and the same images; None where it cannot be told.
        images: how many images both judged; 0 without an effect.
        luck: by how much the best of as many equally good trials would look too good; None where the members
            do not say how much a trial's mean varies.
        established: whether the best is better than the runner-up.
        why: what the latter rests on, without a full stop.
        needed: what would decide it, without a full stop; empty where it is decided, or unknown.
        tied: the numbers of all trials with the runner-up's value where it shares it, in order: it is the
            runner-up, or the best is the best, by its number alone.
    """

    best: Row
    rival: Row | None
    trials: int
    effect: Effect | None
    images: int
    luck: float | None
    established: bool
    why: str
    needed: str = ""
    tied: tuple[int, ...] = ()


def standing(opened: Opened, alpha: float) -> Standing | None:
    """How the best trial stands; None where none has finished.

    Args:
        opened: the sweep.
        alpha: how often a winner may be called one that is none.
    """
    if not opened.ranked:
        return None
    best, *others = opened.ranked
    luck = expected_luck(opened)
    trials = len(opened.ranked)
    if not others:
        return Standing(best, None, trials, None, 0, luck, False, "no other trial has finished")
    rival = others[0]
    tied = tuple(sorted(row.number for row in opened.ranked if row.value == rival.value))
    tied = tied if len(tied) > 1 else ()
    try:
        found = _pair(opened, best, rival)
    except CtexpError as error:
        why = f"it cannot be compared with trial {rival.number}, the runner-up: {error.problems[0]}"
        return Standing(best, rival, trials, None, 0, luck, False, why, tied=tied)
    [effect] = found.effects.values()
    established, why = _called(opened, rival, effect, alpha)
    more = None if established else needed(effect, found.groups, found.seeds, alpha)
    said = more.said if more and effect.seed_source == "measured" else ""
    return Standing(best, rival, trials, effect, found.images, luck, established, why, said, tied)


def expected_luck(opened: Opened) -> float | None:
    """By how much the luckiest of all finished trials looks too good if all are equally good.

    The expected maximum of n standard normal errors by Blom's approximation, `q((n - 0.375) / (n + 0.25))`
    with q the normal quantile, times the standard error of a trial's mean, pooled over trials.
    """
    trials, error = len(opened.ranked), pooled_error(opened.ranked)
    if error is None or trials < 2:
        return None
    return error * NormalDist().inv_cdf((trials - 0.375) / (trials + 0.25))


def pooled_error(rows: Sequence[Row]) -> float | None:
    """The standard error of a trial's mean over its members, pooled; None where no trial has one."""
    errors = [row.error for row in rows if row.error is not None]
    return math.sqrt(sum(error**2 for error in errors) / len(errors)) if errors else None


def _pair(opened: Opened, best: Row, rival: Row) -> Pair:
    """The runner-up as the baseline, the best as the candidate.

    Raises:
        DataError: predictions are missing or damaged, or not of the same images.
    """
    metric = opened.spec.metric.partition("/")[2]
    return pair(tables(opened, rival), tables(opened, best), [metric])


def tables(opened: Opened, row: Row) -> list[Predictions]:
    """What a trial said of the images of validation: a table a seed, the folds of a seed put together.

    Raises:
        DataError: a run, its manifest or its predictions cannot be read.
    """
    there = opened.members(row)
    if gone := [run for label, run in row.runs.items() if label not in there]:
        raise DataError(f"no longer there: {', '.join(gone)}")
    by_seed: dict[int, list[Predictions]] = {}
    for run in there.values():
        seed = Manifest.read(run.manifest).seed
        by_seed.setdefault(seed, []).append(Predictions.read(run.predictions("val")))
    if not by_seed:
        raise DataError(f"trial {row.number} has no runs")
    return [
        averaged(found) if opened.spec.folds else found[0].sorted() for _, found in sorted(by_seed.items())
    ]


def _called(opened: Opened, rival: Row, effect: Effect, alpha: float) -> tuple[bool, str]:
    """Whether it is established, and why."""
    against = f"trial {rival.number}"
    if effect.difference is None or effect.reason:
        return False, f"the difference to {against} cannot be told: {effect.reason}"
    if effect.seed_source != "measured":
        return False, f"with one training each, seeds may have made the difference to {against}"
    if effect.difference == 0:
        return False, f"{against} has the same value"
    ahead = effect.difference > 0 if opened.spec.goal == "maximize" else effect.difference < 0
    if not ahead:
        return False, f"{against} has the better mean of the metric, and the worse objective"
    if effect.p > alpha:
        return False, f"chance alone makes such a difference to {against} too often (p = {effect.p:.2g})"
    return True, f"chance alone hardly makes such a difference to {against} (p = {effect.p:.2g})"
