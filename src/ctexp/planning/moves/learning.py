"""What is believed of a move once it has been tried here: the prior, and every comparison, by their weights.

A move's effect on a recipe is its effect in general and what is particular to that recipe. Both are normal:

    effect on recipe r = mean + general + own[r],   general ~ N(0, (1 - OWN) sd^2),   own[r] ~ N(0, OWN sd^2)

with mean and sd of the prior, so that before anything was tried the effect on the incumbent is the prior
itself. A comparison on r sees that effect with its own error (images and seeds together). What follows for
the incumbent is the conditional mean and variance of jointly normal values (Gelman et al. 2013, Bayesian Data
Analysis, section 5.4 and appendix A). A comparison that began at the incumbent and made this very move tells
of `own` too; one on another recipe, or of a number that is only near, tells of `general` alone. Errors of
comparisons are taken to be independent, although all of a study are of the same images; nor is it counted
that the incumbent was chosen for looking best, which makes what was tried on it look a little worse.

How much is particular to a recipe (`OWN`) nobody has measured on sets of this size, and a project's few
comparisons of a move could not tell: it is stated. With a half of the variance, what was seen on one other
recipe moves a belief at most half of the way, on two at most two thirds, and however many there are the doubt
stays at 0.7 of what it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from ctexp.planning.moves.history import Tried
from ctexp.planning.moves.value import Belief
from ctexp.planning.study.noise import Noise

OWN = 0.5
"""The share of a prior's variance that is particular to a recipe."""

SETTLED = 0.1
"""Below this probability of a worthwhile gain a move that was tried is no longer worth a night."""

HEARD = 0.2
"""Below this weight what was seen settles nothing: one noisy comparison is no failure."""

_ONE_SD = NormalDist().cdf(1.0)  # 0.84


@dataclass(frozen=True)
class Posterior:
    """What is believed of a move's effect on the incumbent.

    Attributes:
        prior: before anything was seen here.
        tried: what was seen, as far as it has a number; and what was lost.
        belief: after it.
        weight: how much of `belief` is what was seen here, the rest being the prior; 0 to 1.
        seen: mean of what was seen, each comparison by its weight; None where nothing was.
        p_better: the probability that the effect is above 0.
        worthwhile: the smallest gain that matters.
        p_worthwhile: the probability that the effect is at least that.
        settled: whether a worthwhile gain is improbable, also by what began at the incumbent alone: what was
            seen from another recipe moves a belief and settles nothing.
        said: all this in a sentence, without a full stop.
    """

    prior: Belief
    tried: tuple[Tried, ...]
    belief: Belief
    weight: float
    seen: float | None
    p_better: float
    worthwhile: float
    p_worthwhile: float
    settled: bool
    said: str

    @property
    def cites(self) -> tuple[str, ...]:
        """The runs it rests on."""
        return tuple(dict.fromkeys(run for one in self.tried for run in one.cites))


@dataclass(frozen=True)
class _Learned:
    belief: Belief
    weight: float = 0.0
    seen: float | None = None

    def above(self, gain: float) -> float:
        return 1 - NormalDist(self.belief.mean, self.belief.sd).cdf(gain)


_Datum = tuple[Tried, float, float]  # a comparison, its gain, the error of that


def posterior(
    prior: Belief, tried: Sequence[Tried], worthwhile: float, noise: Noise | None = None
) -> Posterior:
    """Put a prior and what was seen together.

    Args:
        prior: of the effect on one metric, positive for better.
        tried: the move made from recipes that had what it changes as the incumbent has it.
        worthwhile: the smallest gain that matters, in the metric's units.
        noise: of that metric over seeds, where it was measured on any recipe: see `error`.
    """
    told = [(one, one.gain, error(one, noise)) for one in tried]
    data = [(one, gain, se) for one, gain, se in told if gain is not None and se is not None]
    known, own = _learned(prior, data), _learned(prior, [its for its in data if its[0].here])
    hopeless = all(one.above(worthwhile) < SETTLED for one in (known, own))
    return Posterior(
        prior=prior,
        tried=tuple(tried),
        belief=known.belief,
        weight=known.weight,
        seen=known.seen,
        p_better=known.above(0.0),
        worthwhile=worthwhile,
        p_worthwhile=known.above(worthwhile),
        settled=own.weight >= HEARD and hopeless,
        said=_said(prior, known, len(data)),
    )


def error(one: Tried, noise: Noise | None) -> float | None:
    """The standard error of a comparison; None where it has none.

    Two or three seeds of its own may agree by luck: the part of seeds is that of all recipes, wherever it was
    measured on any, sd^2 (1/before + 1/after) with the seeds of either side. An sd of few degrees of freedom
    is itself unsure, and what is divided by it has the tails of Student's t: the 84 % quantile of t takes the
    place of one sd, which makes it 1.84 times as large with one degree of freedom, 1.32 times with two and
    1.05 times with ten. What an image and a training do only together is in both parts, which errs on the
    wide side.
    """
    its = one.difference
    if its is None or not its.se:
        return None
    if noise is None or its.image_se is None:
        return its.se
    before, after = one.seeds
    return sqrt(its.image_se**2 + (_widened(noise.df) * noise.sd) ** 2 * (1 / before + 1 / after))


@lru_cache
def _widened(df: int) -> float:
    from scipy.special import stdtrit  # a third of a second: only where there is something to tell

    return float(stdtrit(df, _ONE_SD))


def _learned(prior: Belief, data: Sequence[_Datum]) -> _Learned:
    if not data:
        return _Learned(prior)
    gains = np.array([gain for _, gain, _ in data])
    total = prior.sd**2
    shares = np.array([1.0 if one.here and one.exact else 1 - OWN for one, _, _ in data])
    errors = np.diag([se**2 for *_, se in data])
    pull = np.linalg.solve(total * _agreement([_ground(one) for one, _, _ in data]) + errors, total * shares)
    weight = float(pull.sum())
    variance = total - float(pull @ (total * shares))
    belief = Belief(prior.mean + float(pull @ (gains - prior.mean)), sqrt(max(variance, 0.0)))
    return _Learned(belief, weight, float(pull @ gains) / weight)


def failed(found: Posterior) -> str:
    """Why the move is settled not to help here, a few words; empty where that is open."""
    lost = [state for one in found.tried if one.here for state in one.lost]
    if lost and all(one.lost and one.gain is None for one in found.tried):
        ends = " and ".join(sorted(set(lost)))
        return f"it ended as {ends} each time it was trained here ({len(lost)} of {len(lost)})"
    if found.settled:
        return (
            f"tried here: {found.said}; a gain of {found.worthwhile:g} or more has a probability of "
            f"{found.p_worthwhile:.2f}, less than {SETTLED:g}"
        )
    return ""


def _ground(one: Tried) -> tuple[str, str]:
    """What comparisons share their own effect by: the recipe, and the number that was near, if it was."""
    return one.before, "" if one.exact else one.after


def _agreement(grounds: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
    """How effects on these grounds go together, in units of the prior's variance; shape (n, n)."""
    same = np.array([[one == other for other in grounds] for one in grounds], dtype=np.float64)
    return (1 - OWN) + OWN * same


def _said(prior: Belief, known: _Learned, count: int) -> str:
    believed = f"{known.belief.mean:+.3f} ± {known.belief.sd:.3f}"
    if known.seen is None:
        return f"nothing was seen here, so {believed} as before"
    times = "once" if count == 1 else f"{count} times"
    return (
        f"seen {times}, {known.seen:+.3f} on average; with a weight of {known.weight:.0%} beside "
        f"{prior.mean:+.3f} ± {prior.sd:.3f} from before that makes {believed}"
    )
