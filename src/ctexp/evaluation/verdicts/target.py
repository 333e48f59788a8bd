"""Is it what it was trained for: a metric beyond a stated value, by its interval and never by itself.

The figures are those the records hold. A test split that nobody has opened stays closed.
"""

import operator
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ctexp.config.verdict import TargetSettings
from ctexp.core.metric_names import higher_is_better
from ctexp.evaluation.out_of_fold import OOF
from ctexp.evaluation.verdicts.documents import Target
from ctexp.record.subjects import Subject
from ctexp.record.values import entry_of

HOLDS = {">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt}
"""What may be asked of a metric and a stated value."""


def target(subject: Subject, asked: TargetSettings) -> Target:
    """Whether a subject meets a target; see `threshold`.

    Args:
        subject: of whose seeds each has figures of its own; a cross-validation has them out of fold, which
            stand for validation.
        asked: the target: at least so much, for metrics that fall at most.
    """
    split = asked.metric.partition("/")[0]
    if subject.place and split != "val":
        return _unknown(asked.metric, asked.value, f"a cross-validation has no {split} split")
    stored, places = (OOF, [subject.place]) if subject.place else (split, list(subject.runs))
    op = ">=" if higher_is_better(asked.metric) else "<="
    return threshold([place.metrics for place in places], stored, asked.metric, op, asked.value)


def threshold(places: Sequence[Path], stored: str, metric: str, op: str, value: float) -> Target:
    """Whether a metric is beyond a stated value.

    With several seeds every one of them has to be: it is met where all of their 95 % intervals are beyond the
    value, missed where all of them fall short of it, undecided otherwise.

    Args:
        places: where each seed's `metrics.json` is.
        stored: the split as the records call it: `val`, `test`, `oof`.
        metric: with the split that was asked for.
        op: one of `HOLDS`.
        value: the stated one.
    """
    split, _, name = metric.partition("/")
    found = [entry_of(path, stored, name) for path in places]
    known = [entry for entry in found if entry is not None]
    values = [entry.value for entry in known if entry.value is not None]
    if not values:
        sealed = split == "test"
        said = "the test split has not been looked at with it" if sealed else f"no record has {stored}/{name}"
        return _unknown(metric, value, said)
    bounds = [entry.bounds for entry in known if entry.value is not None and entry.bounds]
    measured = float(np.mean(values))
    if len(values) < len(found):
        said = f"only {len(values)} of {len(found)} seeds have {stored} figures"
        return _unknown(metric, value, said, measured)
    if len(bounds) < len(values):
        said = f"{len(found) - len(bounds)} of {len(found)} seeds have no {stored}/{name} with an interval"
        return _unknown(metric, value, said, measured)
    low, high = min(low for low, _ in bounds), max(high for _, high in bounds)
    ends = {HOLDS[op](low, value), HOLDS[op](high, value)}
    return Target(
        metric=metric,
        value=value,
        status="met" if ends == {True} else "missed" if ends == {False} else "undecided",
        measured=measured,
        low=low,
        high=high,
        said=_said(f"{stored}/{name}", measured, low, high, len(values)),
    )


def _said(metric: str, measured: float, low: float, high: float, seeds: int) -> str:
    of = "" if seeds == 1 else f", mean of {seeds} seeds"
    over = "95 % interval" if seeds == 1 else "95 % intervals of all seeds"
    return f"{metric} {measured:.3f}{of}, {over} {low:.3f} to {high:.3f}"


def _unknown(metric: str, value: float, said: str, measured: float | None = None) -> Target:
    return Target(metric=metric, value=value, status="undecided", measured=measured, said=said)
