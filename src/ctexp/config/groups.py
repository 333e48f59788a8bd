"""Which file of a group is meant: `model=resnet50` is `conf/model/resnet50.yaml`, and nothing else will do.

Checked before Hydra composes: it would follow paths, take lists, or let a number replace a whole group.
"""

import re
from pathlib import Path
from typing import Any

from ctexp.config import timm_names
from ctexp.config.keys import EXPERIMENT
from ctexp.core.names import ID_PATTERN, did_you_mean

_FILE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def choices(group: str, conf: Path) -> list[str]:
    """The names a group may be given: its YAML files whose name is plain."""
    return sorted(file.stem for file in (conf / group).glob("*.yaml") if _FILE_NAME.fullmatch(file.stem))


def problem_with(group: str, value: Any, conf: Path) -> str:
    """Why `value` cannot choose a file of `group`, with the way out; empty when it can.

    Args:
        group: one of `keys.GROUPS`, or `experiment`, which may be None too.
        value: what was given, of whatever type.
        conf: the folder of the groups.
    """
    options = choices(group, conf)
    if value is None and group == EXPERIMENT:
        return ""
    if isinstance(value, str) and value in options:
        return ""
    one_of = f"choose one of: {', '.join(options)}" if options else f"conf/{group} holds no files"
    if value is None:
        none = f"; for none at all write {group}=none" if "none" in options else ""
        return f"null is no choice; {one_of}{none}"
    if isinstance(value, list):
        return f"takes one name, not a list; {one_of}"
    if isinstance(value, dict):
        return f"takes the name of a file in conf/{group}; single keys are set by {group}.<key>=<value>"
    if not isinstance(value, str):
        return f"{value} is no file of conf/{group}; {one_of}"
    if not value:
        return f"is empty; {one_of}"
    if "/" in value or "\\" in value or value.startswith("."):
        return f"{value!r} is a path; a group takes the plain name of a file in conf/{group}; {one_of}"
    return f"no {value!r} in conf/{group}; {_way_out(group, value, options) or one_of}"


def _way_out(group: str, value: str, options: list[str]) -> str:
    """What may have been meant by a name that has no file."""
    if group == "model" and timm_names.is_known(value):
        return f"timm has it: use model.name={value}"
    near = did_you_mean(value, options)
    if group == "data" and ID_PATTERN.fullmatch(value):
        return f"{near.rstrip('?')}; if it is an imported set, use data.name={value}"
    return near
