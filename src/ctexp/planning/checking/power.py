"""What so many images and seeds can show, before anything is trained.

Nothing is known yet of how good networks will be, nor of how often they will disagree. So what is worked out
here is what would be seen at best; what is out of reach then is out of reach.

- A share of n images has at best the Wilson interval of n right ones (`evaluation.intervals`). The interval
  of a mean over classes is the mean of its classes' as long as fewer than `FEW` images are wrong; with more,
  the mean itself is at most 1 - `FEW` / (classes x images of the largest).
- Two experiments are called different by the exchange of their answers (`evaluation.comparison.swapping`). If
  they disagree on k groups of images, each exchange is one of 2^k, and the smallest two-sided p-value is
  2 / 2^k, McNemar's of k to nothing. So no fewer than 1 + log2(1 / alpha) groups have to differ.
- A true difference d is decided four times in five where d is at least (t(1 - level/2) + t(0.8)) times its
  standard error (`evaluation.comparison.needed`). If no image is lost, d of them are won and the variance of
  one image's difference is d (1 - d), the least that goes with d. With a single seed a side, seeds are taken
  to add as much, as comparisons do; with several, each is counted as though it had seen other images.
"""

import math
from collections.abc import Mapping

from ctexp.core.classes import CLASSES, NORMAL
from ctexp.core.metric_names import higher_is_better
from ctexp.evaluation.intervals import FEW, POWER, wilson

_RANGES = {"brier": (0.0, 2.0), "mcc": (-1.0, 1.0), "loss": (0.0, math.inf)}
_MEANS = ("balanced_accuracy", "macro_f1")


def reachable(metric: str, op: str, value: float) -> tuple[bool, bool]:
    """Whether a metric's own range lets a condition hold at all, and whether it lets it fail.

    Args:
        metric: `val/accuracy` or the like.
        op: `>=`, `>`, `<=` or `<`.
        value: the other side.
    """
    low, high = _RANGES.get(metric.partition("/")[2], (0.0, 1.0))
    match op:
        case ">=":
            return value <= high, value > low
        case ">":
            return value < high, value >= low
        case "<=":
            return value >= low, value < high
        case _:
            return value > low, value <= high


def upwards(op: str) -> bool:
    """Whether larger values satisfy it."""
    return op.startswith(">")


def sensible(metric: str, op: str) -> bool:
    """Whether it asks for what is better."""
    return upwards(op) == higher_is_better(metric)


def best_end(metric: str, op: str, images: Mapping[str, int]) -> float | None:
    """The nearer end of the interval of the best answers these images could get.

    Args:
        metric: `val/accuracy` or the like.
        op: whether it has to be above or below something.
        images: of each class.

    Returns:
        The highest lower end, or the lowest upper one; None where nothing can be said before training.
    """
    name = metric.partition("/")[2]
    if name in _MEANS and upwards(op) and all(images.values()):
        ends = [wilson(1.0, count)[0] for count in images.values()]
        if name == "macro_f1":
            ends = [2 * end / (1 + end) for end in ends]
        return max(sum(ends) / len(ends), 1 - FEW / (len(images) * max(images.values())))
    total = _share_of(name, images)
    if not total:
        return None
    if not upwards(op):
        return wilson(0.0, total)[1]
    end = wilson(1.0, total)[0]
    return 2 * end / (1 + end) if name.startswith("f1_") else end


def truth_needed(metric: str, op: str, value: float, groups: Mapping[str, int]) -> float | None:
    """What a metric would have to be in truth for its interval to be beyond a value four times in five.

    Args:
        metric: a share of images, or balanced accuracy or macro F1, taken as one.
        op: on which side.
        value: of the criterion.
        groups: independent images of each class.

    Returns:
        An end of the scale where not even the best answers would do; None for other metrics.
    """
    total = _independent(metric, groups)
    if not total:
        return None
    count, share = round(total), value if upwards(op) else 1 - value
    hits = next((k for k in range(count + 1) if wilson(k / count, count)[0] >= share), count + 1)
    if hits in (0, count + 1):
        truth = 0.0 if hits == 0 else 1.0
    else:
        from scipy.special import betaincinv  # a third of a second: only where it is asked for

        truth = float(betaincinv(hits, count - hits + 1, POWER))
    return truth if upwards(op) else 1 - truth


def fewest_differing(alpha: float) -> int:
    """How many groups of images two experiments must disagree on, at least, to be called different."""
    return math.ceil(round(math.log2(2 / alpha), 9))


def smallest_called(metric: str, images: Mapping[str, int], seeds: tuple[int, int], alpha: float) -> float:
    """The smallest difference of a metric that could ever be called one; 0 where nothing can be said.

    Args:
        metric: `val/accuracy` or the like.
        images: of each class.
        seeds: of either side: an image that one of three gets right counts a third.
        alpha: of the last step of Holm's correction, the most lenient one.
    """
    name = metric.partition("/")[2]
    share = 1 / math.lcm(*seeds)
    largest = max(images.values())
    if name == "balanced_accuracy":
        weight = 1 / (len(images) * largest)
    elif name == "macro_f1":  # of the largest class, when all of it but this image is right already
        weight = 1 / (len(images) * 2 * largest)
    elif name in ("accuracy", "miss_rate") or name.startswith(("recall_", "specificity_")):
        weight = 1 / (_share_of(name, images) or math.inf)
    else:
        weight = 0.0
    return fewest_differing(alpha) * share * weight


def detectable(metric: str, groups: Mapping[str, int], seeds: tuple[int, int], level: float) -> float | None:
    """The smallest true difference that is decided four times in five, at best.

    Args:
        metric: a share of images, or balanced accuracy or macro F1.
        groups: independent images of each class.
        seeds: of either side.
        level: at which it is to be decided.

    Returns:
        None for other metrics, and where there are hardly any images.
    """
    total = _independent(metric, groups)
    if total is None or total < 2:
        return None
    ratio = _factor(seeds, level, total) / total
    return ratio / (1 + ratio)


def images_needed(
    metric: str, size: float, groups: Mapping[str, int], seeds: tuple[int, int], level: float
) -> int:
    """How many independent images it would take, in all, at best; in the proportions that there are."""
    total = _independent(metric, groups) or 2.0
    wanted = _factor(seeds, level, math.inf) * (1 - size) / size
    return math.ceil(min(wanted / total * sum(groups.values()), 1e15))


def _factor(seeds: tuple[int, int], level: float, total: float) -> float:
    """The square of the quantiles, times what seeds do to the variance."""
    from scipy.special import stdtrit

    df = total - 1
    quantiles = float(stdtrit(df, 1 - level / 2) + stdtrit(df, POWER))
    return quantiles**2 * (2 if seeds == (1, 1) else 1 / max(seeds))


def _independent(metric: str, groups: Mapping[str, int]) -> float | None:
    """Independent images that a metric rests on; for means over classes as many as would vary like it."""
    name = metric.partition("/")[2]
    if name in _MEANS:
        return (
            len(groups) ** 2 / sum(1 / count for count in groups.values()) if all(groups.values()) else None
        )
    shares = ("accuracy", "miss_rate")
    return _share_of(name, groups) if name in shares or name.startswith(("recall_", "specificity_")) else None


def _share_of(name: str, counts: Mapping[str, int]) -> int | None:
    """How many images a share is of, at most; None where the metric is no share of images."""
    total = sum(counts.values())
    if name == "accuracy":
        return total
    if name == "miss_rate":
        return total - counts[CLASSES[NORMAL]]
    kind, _, class_name = name.partition("_")
    if class_name not in counts:
        return None
    if kind in ("recall", "precision", "f1"):
        return counts[class_name]
    return total - counts[class_name] if kind in ("specificity", "npv") else None
