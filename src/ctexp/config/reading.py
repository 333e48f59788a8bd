"""Which keys of a configuration nothing has read: what a person sets there has no effect.

A configuration is watched from when it is composed. Nothing that dumps it whole reads it; a check of the
schema does not either, it is over by then. A key may stay unread for a reason, and those reasons stand here,
in one table: a key that is in neither is one that the code has forgotten.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ctexp.config.groups import choices
from ctexp.config.keys import EXPERIMENT, is_variant_name
from ctexp.config.overrides import parse
from ctexp.config.schema import Settings
from ctexp.config.schema.base import Strict
from ctexp.core import yaml_file
from ctexp.core.dotted import flattened
from ctexp.core.errors import UsageError

_Condition = Callable[[Settings], bool]


def _none_of(settings: Settings, *kinds: str) -> bool:
    return not set(kinds) & set(settings.logger.kinds)


IDLE: dict[str, tuple[_Condition, str]] = {
    "logger.mode": (lambda s: "wandb" not in s.logger.kinds, "only W&B has it"),
    "logger.project": (lambda s: _none_of(s, "wandb", "mlflow", "comet"), "W&B, MLflow and Comet have it"),
    "logger.entity": (lambda s: _none_of(s, "wandb", "comet"), "only W&B and Comet have it"),
    "logger.url": (lambda s: "mlflow" not in s.logger.kinds, "only MLflow has it"),
    "logger.log_model": (lambda s: _none_of(s, "wandb", "mlflow", "comet"), "W&B, MLflow and Comet have it"),
    "trainer.channels_last": (lambda _: True, "only a GPU has it"),
}
"""Keys that may stay unread: in which configurations, and why. They are warned of only where typed."""


def unread(settings: Settings) -> tuple[str, ...]:
    """The dotted keys that nothing has read since the configuration was composed, in the schema's order.

    A copy of a configuration is not watched, and has no unread keys. The name of a variant (`optimizer.name`)
    is none either: validation has made it a class.
    """
    return tuple(key for key in _unread(settings, "") if not is_variant_name(key))


def reason(key: str, settings: Settings) -> str:
    """Why a key may stay unread in this configuration; empty where it must not."""
    condition, why = IDLE.get(key, (lambda _: False, ""))
    return why if condition(settings) else ""


def warnings(keys: Sequence[str], settings: Settings, overrides: Sequence[str], conf: Path) -> list[str]:
    """A line for each unread key that the user set: typed, by the experiment, or by choosing its group.

    Args:
        keys: what nothing has read.
        settings: the configuration.
        overrides: what the user typed.
        conf: the folder of the groups.
    """
    typed, _ = parse(overrides)
    by_hand = {override.key for override in typed if not override.chooses_a_group}
    groups = {override.key for override in typed if override.chooses_a_group}
    chosen = next((override.value for override in typed if override.key == EXPERIMENT), None)
    experiment = _experiment(conf, chosen)
    lines = []
    for key in keys:
        why = reason(key, settings)
        if _covers(by_hand, key) or (not why and (_covers(groups, key) or _covers(experiment, key))):
            because = f" ({why})" if why else ""
            lines.append(f"{key}: nothing read it in this run, it had no effect{because}")
    return lines


def _unread(part: Strict, prefix: str) -> Iterator[str]:
    asked = part.asked()
    for name, value in vars(part).items():
        if isinstance(value, Strict):
            yield from _unread(value, f"{prefix}{name}.")
        elif asked is not None and name not in asked:
            yield f"{prefix}{name}"


def _covers(set_keys: set[str], key: str) -> bool:
    """Whether one of the keys is `key`, or one that it lies in."""
    return any(key == name or key.startswith(f"{name}.") for name in set_keys)


def _experiment(conf: Path, name: Any) -> set[str]:
    """The dotted keys that an experiment's file sets, groups that it chooses included; none without one."""
    if name not in choices(EXPERIMENT, conf):
        return set()
    try:
        document = yaml_file.read_mapping(conf / EXPERIMENT / f"{name}.yaml")
    except UsageError:  # a resumed run's experiment, edited since: its keys are not known any more
        return set()
    found = set(flattened({key: value for key, value in document.items() if key != "defaults"}))
    for entry in document.get("defaults", []):
        if isinstance(entry, dict):
            found |= {str(group).removeprefix("override ").strip("/ ") for group in entry}
    return found
