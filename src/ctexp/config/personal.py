"""What belongs to one person or machine: `conf/local.yaml`, and the tracker's environment variables.

Neither may change a result, so that a configuration means the same on every desk.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ctexp.core import yaml_file
from ctexp.core.errors import UsageError

_PERSONAL = {"logger": "name: csv", "paths": "data: /mnt/data", "git": "dirty: warn"}
"""What may be set, with an example of each."""

_MODES = {"online": "online", "offline": "offline", "run": "online", "dryrun": "offline"}


def local_settings(conf: Path) -> dict[str, dict[str, Any]]:
    """What `conf/local.yaml` sets below `logger`, `paths` and `git`; nothing when there is no such file.

    Raises:
        UsageError: it cannot be read, or sets anything else.
    """
    file = conf / "local.yaml"
    if not file.exists():
        return {}
    document = yaml_file.read_mapping(file, "conf/local.yaml")
    problems = list(yaml_file.misread_texts(document))
    for group, keys in document.items():
        if group not in _PERSONAL:
            problems.append(
                f"{group}: only {', '.join(_PERSONAL)} may be set here; "
                "what can change a result belongs in a tracked file of conf/ or on the command line"
            )
        elif not isinstance(keys, dict):
            problems.append(f"{group}: expected keys below it, for example {group}: {{{_PERSONAL[group]}}}")
    if problems:
        raise UsageError([f"conf/local.yaml: {problem}" for problem in problems])
    return document


def tracker_settings(environment: Mapping[str, str]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """What W&B's usual environment variables set, by variable, and a line for each that cannot be used.

    Returns:
        For example `{"WANDB_MODE": {"logger": {"mode": "online"}}}`; a disabled one is `logger.name=none`.
    """
    found: dict[str, dict[str, Any]] = {}
    problems: list[str] = []
    for variable, key in (("WANDB_PROJECT", "project"), ("WANDB_ENTITY", "entity")):
        if environment.get(variable):
            found[variable] = {"logger": {key: environment[variable]}}
    mode = environment.get("WANDB_MODE")
    if mode == "disabled":
        found["WANDB_MODE"] = {"logger": {"name": "none"}}
    elif mode in _MODES:
        found["WANDB_MODE"] = {"logger": {"mode": _MODES[mode]}}
    elif mode:
        problems.append(f"WANDB_MODE={mode}: expected online, offline or disabled")
    return found, problems
