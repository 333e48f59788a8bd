"""What a reader of the numbers should know: small support, look-alikes, missing or weak intervals."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ctexp.core.classes import CLASSES
from ctexp.core.metric_names import METRICS
from ctexp.core.wording import many
from ctexp.evaluation.entries import Entry
from ctexp.evaluation.intervals import FEW

_SMALL = 10  # a proportion that rests on fewer images or groups gets a note
_LEFT_OUT = 0.05  # the share of resamples without a value above which a note says so


def on_groups(groups: NDArray[np.int64]) -> list[str]:
    """A note where images come in groups (given: the group of each image)."""
    count = len(np.unique(groups))
    if count == len(groups):
        return []
    return [f"{len(groups)} images in {many(count, 'group')} of look-alikes; the intervals allow for that"]


def on_support(name: str, groups: NDArray[np.int64]) -> list[str]:
    """A note where a metric rests on few images or groups (given: the group of each image it rests on)."""
    count = len(np.unique(groups))
    if not 0 < count < _SMALL or name.startswith("f1_"):  # F1 rests on what recall and precision rest on
        return []
    where = "" if count == len(groups) else f" in {many(count, 'group')}"
    return [f"{_phrase(name)} rests on {many(len(groups), 'image')}{where}"]


def on_resamples(name: str, drawn: NDArray[np.float64]) -> list[str]:
    """A note where many resamples have no value of a metric that has one."""
    left_out = int(np.isnan(drawn).sum())
    if not _LEFT_OUT * len(drawn) < left_out < len(drawn):
        return []
    return [f"{_phrase(name)}: {left_out} of {len(drawn)} resamples left out, since a class had vanished"]


def on_intervals(found: Mapping[str, Entry], errors: int) -> list[str]:
    """Notes on intervals that could not be made, or hardly (given: how many groups hold an error)."""
    resampled = [name for name in METRICS if str(found[name]["method"]).startswith("group bootstrap")]
    without = [name for name in METRICS if found[name]["method"] == "none"]
    notes = []
    if errors < FEW and resampled:
        where = f"only {many(errors, 'independent error')}" if errors else "no error"
        notes.append(f"with {where} the bootstrap intervals of {', '.join(resampled)} may be too narrow")
    if without:
        notes.append(f"no interval for {', '.join(without)}: the resamples do not differ")
    return notes


def on_undefined(labels: NDArray[np.int64], values: Mapping[str, float]) -> list[str]:
    """Why metrics without a value have none."""
    notes = []
    present = np.unique(labels)
    for k, name in enumerate(CLASSES):
        if k not in present:
            notes.append(
                f"no image is {name.replace('_', ' ')}: its recall and F1 are undefined, "
                "and means over classes leave it out"
            )
        if not np.isfinite(values[f"precision_{name}"]):
            notes.append(f"no image is called {name.replace('_', ' ')}: its precision is undefined")
        if not np.isfinite(values[f"npv_{name}"]):
            notes.append(f"every image is called {name.replace('_', ' ')}: its NPV is undefined")
    if len(present) == 1:
        notes.append("all images are of one class: its specificity, mcc, auroc and auprc are undefined")
    if not np.isfinite(values["miss_rate"]):
        notes.append("no image is of a cancer: the miss rate is undefined")
    return notes


def _phrase(name: str) -> str:
    """A metric's name as a reader says it: `recall of large cell carcinoma`."""
    for cls in CLASSES:
        metric, found, rest = name.partition(f"_{cls}")
        if found and not rest:
            return f"{metric} of {cls.replace('_', ' ')}"
    return name.replace("_", " ")
