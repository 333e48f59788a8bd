"""Runs whose predictions are the same, byte for byte.

Two trainings that differ in anything that matters give different logits, if only in the last bit. Where they
do not, what was set differently never reached the network: four arms of an augmentation that all score alike.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ctexp.core import files, yaml_file
from ctexp.core.dotted import flattened
from ctexp.core.errors import CtexpError
from ctexp.record.find import run_paths
from ctexp.record.result import Result
from ctexp.record.run_dir import RunDir

_NAMES = ("run", "git", "paths", "logger")
_SPEED = (
    "data.cache",
    "data.eval_batch_size",
    "trainer.accelerator",
    "trainer.channels_last",
    "trainer.compile",
    "trainer.on_oom",
)
_ENDS = ("trainer.early_stopping", "trainer.max_epochs", "trainer.max_minutes", "trainer.monitor")

MAY_DIFFER = (*_NAMES, *_SPEED, *_ENDS)
"""Keys that equal predictions may differ in, with all below them: how a run is called and watched, what only
makes it faster, and when it ends, since the best epoch may lie before either end."""

_RESOLVED = "auto"  # stands for one of a key's other values


class Twin(NamedTuple):
    """Another run with the same predictions.

    Attributes:
        differing: the keys that ought to have made a difference; none for a repetition of the same run.
    """

    run_id: str
    differing: tuple[str, ...]


def twins(run: RunDir, split: str, sha256: str) -> list[Twin]:
    """The other runs of the same folder whose predictions of a split are the same, newest first.

    A run whose configuration cannot be read is passed over.

    Args:
        run: which run to compare with.
        split: of the predictions.
        sha256: of its table.
    """
    others = (RunDir(path) for path in reversed(run_paths(run.path.parent)) if path.name != run.id)
    same = [other for other in others if _has(other, split, sha256)]
    if not same:
        return []
    config = _flat(run)
    return [Twin(other.id, effective_keys(config, flat)) for other in same if (flat := _flat(other))]


def told(found: list[Twin], split: str) -> tuple[str, str]:
    """A warning about twins that ought to be none, and a note on repetitions; empty where there is none."""
    suspicious = [twin for twin in found if twin.differing]
    repetitions = [twin for twin in found if not twin.differing]
    warning = note = ""
    if suspicious:
        keys = suspicious[0].differing
        warning = (
            f"predictions of {split} are byte-identical with those of {_listed(suspicious)}, although"
            f" {', '.join(keys)} {'differs' if len(keys) == 1 else 'differ'}: something set has no effect"
        )
    if repetitions:
        note = f"reproduces {_listed(repetitions)} bit by bit"
    return warning, note


def _listed(found: list[Twin]) -> str:
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return f"{found[0].run_id}{more}"


def _has(run: RunDir, split: str, sha256: str) -> bool:
    """Whether a run says that it made these predictions."""
    try:
        # Most runs did not, and need not be parsed.
        return sha256.encode() in files.read_regular(run.result) and (
            Result.read(run.result).predictions.get(split) == sha256
        )
    except (OSError, CtexpError):  # a run without a sound result says nothing
        return False


def effective_keys(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[str, ...]:
    """Keys of two flat configurations that differ and ought to have made a difference."""
    keys = [*one, *(key for key in other if key not in one)]
    return tuple(
        key
        for key in keys
        if one.get(key) != other.get(key)
        and _RESOLVED not in (one.get(key), other.get(key))
        and not any(key == name or key.startswith(f"{name}.") for name in MAY_DIFFER)
    )


def _flat(run: RunDir) -> dict[str, Any]:
    """The configuration of a run by dotted key; empty where it cannot be read."""
    try:
        return flattened(yaml_file.read_mapping(run.config))
    except CtexpError:
        return {}
