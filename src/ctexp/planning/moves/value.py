"""What trying a move is expected to bring, and which move to try first.

A move is kept only if its comparison calls it better, that is if the estimate of its gain is above a
critical value. With gain ~ N(m, s^2) and estimate = gain + error, error ~ N(0, e^2), what is kept is worth,
on average,

    E[gain x 1(estimate > critical)] = m Phi(z) + s^2 / r phi(z),   r^2 = s^2 + e^2,   z = (m - critical) / r

The estimate is N(m, r^2), and the gain's mean given the estimate x is m + s^2 / r^2 (x - m); the integral of
that over x > critical is the above, since the integral of u phi(u) over u > -z is phi(z). It is the value of
sample information of Raiffa and Schlaifer (1961, Applied Statistical Decision Theory, section 5.3), with the
comparison's own rule in place of the best decision. So a move that is unsure is worth more than a sure small
one, and one whose gain no comparison could show is worth nothing, as long as that is so.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp, hypot, pi, sqrt
from statistics import NormalDist

_NORMAL = NormalDist()
_LEAST_MINUTES = 1 / 60


@dataclass(frozen=True)
class Belief:
    """What is believed of an effect on a metric: a normal distribution, in the metric's own units.

    Positive is better, whichever way the metric goes.
    """

    mean: float
    sd: float


@dataclass(frozen=True)
class Offer:
    """A move that could be tried.

    Attributes:
        title: of it; says the order among equals.
        belief: of its gain.
        se: standard error that its comparison will have; critical: what its estimate has to exceed to be
            called better. Both in the metric's units.
        minutes: that trying it takes, all seeds together.
    """

    title: str
    belief: Belief
    se: float
    critical: float
    minutes: float

    @property
    def expected_gain(self) -> float:
        """See `expected_gain`."""
        return expected_gain(self.belief, self.se, self.critical)

    @property
    def per_minute(self) -> float:
        """Expected gain per minute; a second is the least that counts."""
        return self.expected_gain / max(self.minutes, _LEAST_MINUTES)


def expected_gain(belief: Belief, se: float, critical: float) -> float:
    """The gain times whether it will be called one, on average; see above.

    Args:
        belief: of the gain.
        se: standard error of its estimate.
        critical: what the estimate has to exceed to be called better.
    """
    spread = hypot(belief.sd, se)
    if not spread:
        return belief.mean if belief.mean > critical else 0.0
    z = (belief.mean - critical) / spread
    density = exp(-z * z / 2) / sqrt(2 * pi)
    return belief.mean * _NORMAL.cdf(z) + belief.sd**2 / spread * density


def ranked(offers: Iterable[Offer]) -> list[Offer]:
    """The best first: by expected gain per minute, then by title."""
    return sorted(offers, key=lambda one: (-one.per_minute, one.title))
