"""The value of a trial: its metric over all its trainings."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from ctexp.sweeps.file.spec import Spec


@dataclass(frozen=True)
class Objective:
    """What a trial came to.

    Attributes:
        value: as it is minimised or maximised.
        mean: of the metric.
        error: its standard error; None for a single training.
    """

    value: float
    mean: float
    error: float | None


def objective(spec: Spec, values: Sequence[float]) -> Objective:
    """The mean, or with `mean_minus_se` the mean made worse by its standard error, sd (n - 1) over root n.

    Args:
        spec: which of the two, and which way is better.
        values: of the metric, one a training.
    """
    mean = statistics.fmean(values)
    error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else None
    value = mean
    if spec.objective == "mean_minus_se" and error is not None:
        value = mean - error if spec.goal == "maximize" else mean + error
    return Objective(value, mean, error)
