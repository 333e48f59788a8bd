"""All pairs together: better, worse, undecided, and what would decide it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ctexp.core.metric_names import METRICS
from ctexp.evaluation.comparison.effect import Effect
from ctexp.evaluation.comparison.exact import holm
from ctexp.evaluation.comparison.needed import Needed, detectable, needed
from ctexp.evaluation.comparison.pairing import Pair

Call = Literal["better", "worse", "undecided"]


@dataclass(frozen=True)
class Verdict(Effect):
    """One metric of one pair, judged.

    Attributes:
        p_holm: corrected for all metrics of all pairs.
        verdict: better or worse where `p_holm` is at most alpha, by the metric's own direction.
        needed: what would decide it; None where it is decided, or where there is nothing to go by.
        detectable: the smallest difference that these images and seeds decide four times in five.
    """

    p_holm: float
    verdict: Call
    needed: Needed | None
    detectable: float | None


@dataclass(frozen=True)
class Judged(Pair):
    """A pair with its verdicts by metric."""

    metrics: dict[str, Verdict]


def judge(pairs: Sequence[Pair], alpha: float, untested: int = 0) -> list[Judged]:
    """Correct for everything that is compared, and call it.

    Metrics without a number count as tests with p = 1, so that what is undefined makes nothing easier.

    Args:
        pairs: all that is compared at once: one baseline, one or more candidates.
        alpha: how often the whole may call any difference where there is none.
        untested: what else was to be compared and could not be; these count as tests with p = 1, too.
    """
    effects = [effect for its in pairs for effect in its.effects.values()]
    level = alpha / max(1, len(effects) + untested)
    corrected = iter(holm([*(effect.p for effect in effects), *[1.0] * untested]))
    return [
        Judged(
            **vars(its),
            metrics={
                name: _called(effect, next(corrected), alpha, level, its)
                for name, effect in its.effects.items()
            },
        )
        for its in pairs
    ]


def _called(effect: Effect, p_holm: float, alpha: float, level: float, its: Pair) -> Verdict:
    call: Call = "undecided"
    if p_holm <= alpha and effect.difference:
        call = "better" if (effect.difference > 0) == (METRICS[effect.metric] == "max") else "worse"
    open_still = call == "undecided"
    return Verdict(
        **vars(effect),
        p_holm=p_holm,
        verdict=call,
        needed=needed(effect, its.groups, its.seeds, level) if open_still else None,
        detectable=detectable(effect, level),
    )
