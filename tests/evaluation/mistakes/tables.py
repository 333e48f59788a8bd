"""Cases and catalog rows drawn at random, for tests about mistakes."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ctexp.core.classes import CLASSES
from ctexp.data.catalog import ImageRow
from ctexp.evaluation import scores
from ctexp.evaluation.answers import Answers
from ctexp.evaluation.mistakes.cases import Cases
from ctexp.evaluation.predictions import Predictions
from ctexp.record.run_dir import RunDir
from ctexp.record.subjects import Subject
from tests.evaluation.conftest import draw


def cases(table: Predictions, *, out_of_sample: bool = True) -> Cases:
    """The cases of one table, uncalibrated."""
    return Cases(
        split="val" if out_of_sample else "train",
        out_of_sample=out_of_sample,
        image_id=table.image_id,
        sha256=table.sha256,
        group=np.unique(np.array(table.group), return_inverse=True)[1].astype(np.int64),
        label=table.label,
        called=table.logits.argmax(axis=1),
        probabilities=scores.softmax(table.logits),
        temperature=None,
    )


def drawn(n: int, skill: float = 1.5, seed: int = 0, groups: Sequence[object] | None = None) -> Cases:
    """`n` cases."""
    return cases(draw(n, skill, seed, groups))


def answers(*tables: Predictions, split: str = "val", runs: Sequence[RunDir] = ()) -> Answers:
    """Of a name whose seeds 1, 2, ... said these tables."""
    subject = Subject("name", "name", "name", tuple(runs))
    return Answers(subject, split, {seed: table.sorted() for seed, table in enumerate(tables, start=1)})


def rows(of: Cases, changes: Callable[[int], dict[str, Any]] = lambda _: {}) -> list[ImageRow]:
    """Catalog rows of the cases, each changed as its place says."""
    found = []
    for place, (image_id, digest) in enumerate(zip(of.image_id, of.sha256, strict=True)):
        plain: dict[str, Any] = {
            "image_id": image_id,
            "path": image_id,
            "split": "val",
            "class_name": CLASSES[int(of.label[place])],
            "group": f"g{of.group[place]}",
            "excluded": False,
            "bytes": 100,
            "sha256": digest,
            "width": 300,
            "height": 200,
            "mode": "L",
            "window": "",
            "pixels": digest,
            "mean": 100.0,
            "std": 50.0,
        }
        found.append(ImageRow(**plain | changes(place)))
    return found
