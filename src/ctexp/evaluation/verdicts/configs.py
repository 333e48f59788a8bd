"""In what two experiments were set up differently, and whether that had any effect at all."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from pydantic import JsonValue

from ctexp.core import yaml_file
from ctexp.core.dotted import flattened
from ctexp.core.errors import DataError, UsageError
from ctexp.evaluation.answers import Answers
from ctexp.evaluation.verdicts.records import commits
from ctexp.record.manifest import Manifest
from ctexp.record.subjects import Subject, differing_keys
from ctexp.record.twins import effective_keys

_FOLD = "data.fold"  # tells the members of a cross-validation apart, not experiments


class Setup(NamedTuple):
    """How a candidate differs from its baseline; the fields are those of `Candidate`."""

    differing: dict[str, tuple[JsonValue, JsonValue]]
    identical: bool
    warnings: tuple[str, ...]


def setup(baseline: Answers, candidate: Answers) -> Setup:
    """Compare configurations and, byte by byte, predictions.

    Raises:
        DataError: a configuration cannot be read.
    """
    before, after = _configs(baseline.subject), _configs(candidate.subject)
    twins = [
        (seed, other_seed)
        for seed, its in baseline.seeds.items()
        for other_seed, theirs in candidate.seeds.items()
        if its.image_id == theirs.image_id and np.array_equal(its.logits, theirs.logits)
    ]
    title = baseline.subject.title
    warnings = []
    for seed, other_seed in twins:
        one, other = f"{title}, seed {seed}", f"{candidate.subject.title}, seed {other_seed}"
        warnings.append(_alarm(one, other, effective_keys(before[seed], after[other_seed])))
    first, other_first = next(iter(before.values())), next(iter(after.values()))
    keys = [key for key in differing_keys(first, other_first) if key != _FOLD]
    if len(keys) > 1:
        warnings.append(
            f"differs from {title} in {len(keys)} settings: which of them made the difference is not told"
        )
    if not keys and not twins:
        warnings.append(
            f"is set up as {title} is, apart from the seed: any difference comes from chance, the code or "
            "the data"
        )
    old, new = commits(baseline.subject), commits(candidate.subject)
    if old != new:
        warnings.append(f"was trained by other code than {title}: {old} -> {new}")
    differing = {key: (first.get(key), other_first.get(key)) for key in keys}
    return Setup(differing, bool(twins), tuple(warnings))


def _alarm(one: str, other: str, keys: Sequence[str]) -> str:
    if not keys:
        return f"{other} reproduces {one} bit by bit: it is no second opinion"
    return (
        f"predictions of {other} are byte-identical with those of {one}, although {', '.join(keys)} "
        f"{'differs' if len(keys) == 1 else 'differ'}: something set has no effect"
    )


def _configs(subject: Subject) -> dict[int, dict[str, Any]]:
    """The flat configuration of each seed; of a cross-validation, that of its first fold."""
    configs: dict[int, dict[str, Any]] = {}
    try:
        for run in subject.runs:
            flat = flattened(yaml_file.read_mapping(run.config))
            configs.setdefault(Manifest.read(run.manifest).seed, flat)
    except UsageError as error:
        raise DataError(error.problems, "restore it, or train anew") from error
    return configs
