"""A run beside others: the same predictions for other settings, and figures that its recipe never gave."""

from collections.abc import Iterator, Sequence
from statistics import median

import numpy as np

from ctexp.core.metric_names import higher_is_better
from ctexp.core.wording import some
from ctexp.evaluation.intervals import Z
from ctexp.monitor.finding import Finding, Unknown
from ctexp.monitor.neighbours import Neighbours
from ctexp.monitor.rules.answers import CONSTANT
from ctexp.monitor.seen import Seen
from ctexp.record.index import RunSummary
from ctexp.record.twins import effective_keys

_NEAR = 1e-3
"""Probabilities that nowhere differ by more: no image is answered otherwise but for ties."""
_EARLIER = 5
"""Runs of the recipe, below which no spread is known."""
_FAR = 3.5  # robust deviations (Iglewicz & Hoaglin 1993)
_ROBUST = 1.4826  # times the median absolute deviation: the standard deviation of normal values
_METRICS = ("val/macro_f1", "val/auroc")


def same_answers(seen: Seen, others: Neighbours) -> Iterator[Finding]:
    """Settings that ought to make a difference and made none: an earlier run answered the same.

    To the last bit, whatever the seeds: what was set never reached the network, a warning. Nearly, with the
    same seed: a note, for settings may well matter little.
    """
    table = seen.answers
    if table is None:
        return
    blind = bool(table.probabilities.std(axis=0).max() < CONSTANT)  # such answers are always near each other
    near: list[tuple[str, tuple[str, ...], float]] = []
    for one in others.before(seen):
        other = others.seen(one.id)
        if other.answers is None or other.answers.sha256 != table.sha256:
            continue
        same = bool((other.answers.logits == table.logits).all())
        if not same and (blind or one.seed != (seen.manifest.seed if seen.manifest else None)):
            continue
        apart = float(np.abs(other.answers.probabilities - table.probabilities).max())
        if apart > _NEAR:
            continue
        keys = effective_keys(other.config, seen.config)
        if keys and same:
            yield _identical(seen, other.id, keys)
            return
        if keys:
            near.append((other.id, keys, apart))
    for other_id, keys, apart in near[:1]:
        yield Finding(
            "nearly_identical",
            "note",
            (seen.id, other_id),
            f"no probability differs by more than {apart:.1g} from {other_id}, although {some(keys)}"
            f" {'differs' if len(keys) == 1 else 'differ'}",
            "do not count the two as two results: the change did next to nothing",
            {"with": other_id, "keys": list(keys), "largest_difference": apart},
            "high",
        )


def _identical(seen: Seen, other: str, keys: Sequence[str]) -> Finding:
    return Finding(
        "identical_runs",
        "warning",
        (seen.id, other),
        f"validation answers are those of {other} to the last bit, although {some(keys)}"
        f" {'differs' if len(keys) == 1 else 'differ'}: something set has no effect",
        f"find out what ignores it (scripts/inv show {seen.id}: settings that nothing read)",
        {"with": other, "keys": list(keys)},
        "high",
    )


def outside_history(seen: Seen, others: Neighbours) -> Iterator[Finding | Unknown]:
    """A metric far from what the same recipe gave before, on either side.

    Far: three and a half robust deviations from the median of at least five earlier runs. The deviation is
    1.4826 times their median absolute deviation, and no less than the standard error of the metric that the
    choice of images makes, because the deviation of a few runs is easily small by chance.
    """
    if seen.result is None or not seen.result.metrics:
        return
    earlier = others.of_recipe(seen)
    if len(earlier) < _EARLIER:
        yield Unknown("outside_history", f"fewer than {_EARLIER} earlier runs of its recipe")
        return
    for metric in (*_METRICS, "val/ece"):
        measured = seen.result.metrics.get(metric)
        values = [value for one in earlier if (value := one.metrics.get(metric)) is not None]
        if measured is None or measured.value is None or len(values) < _EARLIER:
            continue
        middle = median(values)
        spread = _ROBUST * median(abs(value - middle) for value in values)
        error = (
            0.0 if measured.low is None or measured.high is None else (measured.high - measured.low) / 2 / Z
        )
        scale = max(spread, error)
        far = (measured.value - middle) / scale if scale > 0 else 0.0
        if abs(far) > _FAR and (metric != "val/ece" or far > 0):
            yield _outside(seen, metric, measured.value, middle, far, earlier)


def _outside(
    seen: Seen, metric: str, value: float, middle: float, far: float, earlier: Sequence[RunSummary]
) -> Finding:
    better = (far > 0) == higher_is_better(metric)
    own = seen.manifest
    changed = [
        what
        for what, mine, theirs in (
            ("images", own and own.dataset.catalog_sha256, {one.catalog_sha256 for one in earlier}),
            ("code", own and own.git.commit, {one.commit for one in earlier}),
        )
        if mine not in theirs
    ]
    because = f"; its {' and '.join(changed)} are others than theirs" if changed else ""
    drift = metric == "val/ece"
    return Finding(
        "calibration_drift" if drift else "outside_history",
        "warning",
        (seen.id, *(one.id for one in earlier)),
        f"{metric} is {value:.3f}, that of {len(earlier)} earlier runs of the recipe was {middle:.3f}"
        f" (median): {far:+.1f} robust deviations{because}",
        f"look for a leak before you believe it: {seen.audit}"
        if better
        else f"see what has changed since: scripts/inv diff {earlier[0].id} {seen.id}",
        {"metric": metric, "value": value, "median": middle, "deviations": far, "changed": changed},
        "high" if abs(far) > 2 * _FAR else "moderate",
    )
