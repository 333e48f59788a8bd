"""The numbers of a cross-validation: every image judged by networks that have not seen it.

A fold's validation images are predicted by the run that did not train on them; put together, the folds of one
seed predict every image once. Where a fold was trained with several seeds, an image's probabilities are the
mean over them. Three kinds of uncertainty are told apart: the interval of a metric is that of the images; the
spread over seeds is that of training again; the spread over folds mixes both, and is no standard error, since
the folds' training sets overlap (Bengio & Grandvalet 2004).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctexp.core.errors import DataError
from ctexp.evaluation import metrics
from ctexp.evaluation.predictions import Predictions
from ctexp.evaluation.scores import softmax

OOF = "oof"
"""What stands in a split's place in names of files and metrics: out of fold."""

Member = tuple[int, int]
"""A fold and a seed."""


def averaged(members: Iterable[Predictions], temperature: float = 1.0) -> Predictions:
    """One row an image, in the order of ids: the mean of its probabilities over the members that judged it.

    Args:
        members: predictions of images that each member has not learned from, at least one.
        temperature: what each member's logits are divided by before.

    Returns:
        A table whose logits are the logarithms of the mean probabilities.

    Raises:
        DataError: members disagree about an image itself: its content, its class or its group.
    """
    found: dict[str, list[NDArray[np.float64]]] = {}
    about: dict[str, tuple[str, str, int]] = {}
    problems = []
    for member in members:
        logs = np.log(
            np.maximum(softmax(member.logits.astype(np.float64) / temperature), np.finfo(np.float32).tiny)
        )
        facts = zip(member.sha256, member.group, member.label.tolist(), strict=True)
        for image_id, of_it, row in zip(member.image_id, facts, logs, strict=True):
            if about.setdefault(image_id, of_it) != of_it:
                problems.append(f"{image_id}: two members saw different images or classes under this name")
            found.setdefault(image_id, []).append(row)
    if problems:
        raise DataError(problems, "the data set changed in between: cross-validate anew")
    ids = sorted(found)
    return Predictions(
        image_id=tuple(ids),
        sha256=tuple(about[image_id][0] for image_id in ids),
        group=tuple(about[image_id][1] for image_id in ids),
        label=np.array([about[image_id][2] for image_id in ids], dtype=np.int64),
        logits=np.stack([_log_mean(found[image_id]) for image_id in ids]).astype(np.float32),
    )


def pooled(members: Iterable[Predictions]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Labels and logits of all members' rows, one below the other: what their temperature is fitted on."""
    members = list(members)
    return np.concatenate([m.label for m in members]), np.concatenate([m.logits for m in members])


def judged_twice(members: Mapping[Member, Predictions]) -> list[str]:
    """A line for each image that two folds of one seed judged; none where the folds are folds."""
    counts = Counter(
        (seed, image_id) for (_, seed), member in members.items() for image_id in member.image_id
    )
    return [
        f"{image_id}: judged in two folds of seed {seed}" for (seed, image_id), n in counts.items() if n > 1
    ]


def spread(members: Mapping[Member, Predictions]) -> dict[str, Any]:
    """How much the headline metrics differ from fold to fold, and from seed to seed.

    Args:
        members: predictions by fold and seed.

    Returns:
        `folds` and `seeds`: metric -> `mean`, `sd` (of the sample; null for fewer than two), `lowest`,
        `highest` and `values` by fold or seed. A fold's value is the mean over its seeds, a seed's that of
        its folds put together; undefined ones are left out.
    """
    points = {key: metrics.point(member.label, member.logits) for key, member in members.items()}
    folds = sorted({fold for fold, _ in members})
    seeds = sorted({seed for _, seed in members})
    by_fold = {
        fold: {
            name: float(np.mean([points[key][name] for key in points if key[0] == fold]))
            for name in metrics.HEADLINE
        }
        for fold in folds
    }
    by_seed = {}
    for seed in seeds:
        whole = averaged(member for key, member in members.items() if key[1] == seed)
        by_seed[seed] = metrics.point(whole.label, whole.logits)
    return {"folds": _spread(by_fold), "seeds": _spread(by_seed)}


def _spread(points: Mapping[int, Mapping[str, float]]) -> dict[str, Any]:
    told = {}
    for name in metrics.HEADLINE:
        values = {str(key): its[name] for key, its in points.items() if np.isfinite(its[name])}
        numbers = list(values.values())
        told[name] = {
            "mean": float(np.mean(numbers)) if numbers else None,
            "sd": float(np.std(numbers, ddof=1)) if len(numbers) > 1 else None,
            "lowest": min(numbers, default=None),
            "highest": max(numbers, default=None),
            "values": values,
        }
    return told


def _log_mean(logs: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """The logarithm of the mean of probabilities, given their logarithms."""
    return np.asarray(np.logaddexp.reduce(np.stack(logs), axis=0) - np.log(len(logs)))
