"""What the stored answers show: outputs that are dead, classes that are never given, columns nobody uses."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ctexp.core import yaml_file
from ctexp.core.classes import CLASSES
from ctexp.core.errors import CtexpError
from ctexp.core.paths import feature_lists_folder, shown
from ctexp.core.wording import some
from ctexp.data.radiomics.lists import lists_file
from ctexp.evaluation.health.rules import FEWEST
from ctexp.evaluation.intervals import wilson
from ctexp.monitor.finding import Finding, Unknown
from ctexp.monitor.seen import Seen

CONSTANT = 0.01
"""Standard deviation over images of each class's probability, below which an image moves none by more than a
hundredth: the network answers without looking."""
_ENOUGH = 5  # images of a class that none of is answered with it
_UNUSED = 1e-4
"""Of all columns' gradients: a column at the mean of fifty has 0.02."""


def dead_outputs(seen: Seen) -> Iterator[Finding | Unknown]:
    """Every image gets the same answer."""
    if (table := seen.answers) is None:
        damaged = seen.run.predictions("val").exists()
        why = "its validation answers cannot be read" if damaged else "no validation image was answered"
        yield Unknown("dead_outputs", "it still trains" if seen.trains else why)
        return
    spread = float(table.probabilities.std(axis=0).max())
    if not (len(seen.rows) >= FEWEST and spread < CONSTANT):
        return
    yield Finding(
        "dead_outputs",
        "alarm",
        (seen.id,),
        f"all {len(table.label)} validation images get the same answer: no class's probability varies by more"
        f" than {spread:.4f} (standard deviation)",
        f"lower optimizer.lr and optimizer.weight_decay; check that images reach the network: {seen.audit}",
        {"largest_sd": spread, "images": len(table.label)},
        "high",
    )


def never_answered(seen: Seen) -> Iterator[Finding]:
    """A class that validation has is never the answer, of a network that does tell images apart."""
    table = seen.answers
    if table is None or len(seen.rows) < FEWEST or table.probabilities.std(axis=0).max() < CONSTANT:
        return
    given = np.bincount(table.logits.argmax(axis=1), minlength=len(CLASSES))
    there = np.bincount(table.label, minlength=len(CLASSES))
    for place in np.flatnonzero((given == 0) & (there >= _ENOUGH)):
        images, high = int(there[place]), wilson(0.0, int(there[place]))[1]
        yield Finding(
            "class_never_predicted",
            "warning",
            (seen.id,),
            f"{CLASSES[place]} is never the answer: 0 of its {images} validation images are recognised"
            f" (at most {high:.0%})",
            "set sampler=class_balanced or loss=class_balanced, or train longer",
            {"class": CLASSES[place], "images": images, "recall_high": high},
            "high",
        )


def dead_columns(seen: Seen, root: Path) -> Iterator[Finding | Unknown]:
    """Measured features that the network does not use, where `inv analyze-features` has looked at it."""
    if seen.manifest is None or not seen.manifest.features:
        return
    data = seen.manifest.dataset
    file = lists_file(feature_lists_folder(root), data.name, data.fold)
    try:
        document = yaml_file.read_mapping(file)
        ranked, statistics = document["origin"]["runs"], document["statistics"]
    except (CtexpError, KeyError, TypeError):
        ranked, statistics = (), {}
    if seen.id not in ranked:
        yield Unknown("dead_columns", f"scripts/inv analyze-features --run {seen.id} has not looked at it")
        return
    dead = [
        name
        for name, its in statistics.items()
        if its["low"] <= 0 <= its["high"] and its["gradient_share"] < _UNUSED
    ]
    if dead:
        yield Finding(
            "dead_columns",
            "note",
            (seen.id,),
            f"{len(dead)} of {len(statistics)} features move no answer: {some(dead)} ({shown(file)})",
            "look whether they are constant, and leave them out: features=top_features",
            {"columns": dead, "of": len(statistics)},
            "high",
        )
