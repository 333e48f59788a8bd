"""What is believed of an effect: a normal distribution, before and after what was seen here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Belief:
    """An effect on a metric, in the metric's own units; positive is better, whichever way the metric goes."""

    mean: float
    sd: float
