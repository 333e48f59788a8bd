"""What a file of `conf/` may say, beyond keys and values: its header, its defaults list, its texts.

Hydra would go further: load files from anywhere, put keys into any package, resolve `${...}` from the
environment. Here a defaults list chooses files of the groups and no more.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ctexp.config import groups
from ctexp.config.keys import EXPERIMENT, GROUPS
from ctexp.core.names import did_you_mean
from ctexp.core.yaml_file import misread_texts

_CHOICE = re.compile(r"(?P<override>override /)?(?P<group>\w+)")


def problems_with(document: dict[str, Any], name: str, package: str | None, conf: Path) -> list[str]:
    """One line for each thing the file may not say.

    Args:
        document: its content.
        name: `config`, or `<group>/<file>` without the suffix.
        package: what its `# @package` line says, if it has one.
        conf: the folder of the groups.
    """
    group = name.rpartition("/")[0]
    return [
        *_header(group, package),
        *_defaults(document.get("defaults", []), name, group, conf),
        *(_replacements(document) if group in ("", EXPERIMENT) else ()),
        *misread_texts(document),
    ]


def _header(group: str, package: str | None) -> Iterator[str]:
    """Where a file's keys go: an experiment's to the top, all others' to where their group is."""
    if group == EXPERIMENT:
        if package != "_global_":
            yield "an experiment begins with the line `# @package _global_`"
    elif package is not None:
        yield f"`# @package {package}` is for experiments only"


def _replacements(document: dict[str, Any]) -> Iterator[str]:
    """Top-level keys that would replace a whole group, or set up Hydra."""
    for group in GROUPS:
        if group in document and not isinstance(document[group], dict):
            yield (
                f"{group}: a file of the group is chosen in the defaults list "
                f"(- override /{group}: {document[group]})"
            )
    if "hydra" in document:
        yield "hydra: Hydra's own settings have no effect here; run directories are set by paths.runs"


def _defaults(defaults: Any, name: str, group: str, conf: Path) -> Iterator[str]:
    """Entries of a defaults list that are not files of the groups."""
    if not isinstance(defaults, list):
        yield "defaults: expected a list"
        return
    for entry in defaults:
        if entry == "_self_":
            problem = ""
        elif isinstance(entry, dict) and len(entry) == 1:
            ((key, value),) = entry.items()
            problem = _choice(key, value, group, conf)
        elif not isinstance(entry, str) or not group:
            problem = "expected _self_ or <group>: <file>"
        elif f"{group}/{entry}" == name:
            problem = "a file cannot start from itself"
        else:  # a file of the same group, to start from
            problem = groups.problem_with(group, entry, conf)
        if problem:
            yield f"defaults: {entry!r}: {problem}"


def _choice(key: str, value: Any, group: str, conf: Path) -> str:
    """What is wrong with `model: resnet18` in config.yaml, `override /model: resnet18` in an experiment."""
    said = _CHOICE.fullmatch(key)
    if group not in ("", EXPERIMENT):
        return f"a file of {group} cannot choose files of other groups; an experiment can"
    if said is None or bool(said["override"]) != (group == EXPERIMENT):
        return f"expected {'override /' if group else ''}<group>: <file>"
    if said["group"] not in (*GROUPS, EXPERIMENT):
        return f"no group {said['group']!r}; {did_you_mean(said['group'], (*GROUPS, EXPERIMENT))}"
    return groups.problem_with(said["group"], value, conf)
