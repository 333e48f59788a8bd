"""What belongs to one person or machine: `conf/local.yaml`, and the tracker's environment variables.

Neither may change a result, so that a configuration means the same on every desk.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ctexp.core import yaml_file
from ctexp.core.errors import UsageError

_PERSONAL = {"logger": "name: csv", "paths": "data: /mnt/data", "git": "dirty: warn"}
"""What may be set, with an example of each."""

_NOTIFY = {
    "command": "[notify-send, ctexp, '{text}']",
    "webhook": "https://example.org/hook",
    "on": "[failure, end]",
}
"""The keys of `notify`, which is no part of a configuration, with an example of each."""

EVENTS = ("failure", "end")
"""What a person can be told of: a job failed, a night is over."""

_VARIABLES = {"WANDB_PROJECT": "project", "WANDB_ENTITY": "entity", "MLFLOW_TRACKING_URI": "url"}
"""What the trackers' own environment variables set below `logger`."""

_MODES = {"online": "online", "offline": "offline", "run": "online", "dryrun": "offline"}


@dataclass(frozen=True)
class Notify:
    """How a person wants to be told what happened at night.

    Attributes:
        command: a program and its words; none for no program.
        webhook: the address of one; empty for none.
        on: which of `EVENTS`.
    """

    command: tuple[str, ...] = ()
    webhook: str = ""
    on: tuple[str, ...] = EVENTS


def local_settings(conf: Path) -> dict[str, dict[str, Any]]:
    """What `conf/local.yaml` sets below `logger`, `paths` and `git`; nothing when there is no such file.

    Raises:
        UsageError: it cannot be read, or sets anything else.
    """
    document = _read(conf)
    return {group: keys for group, keys in document.items() if group in _PERSONAL}


def notify_settings(conf: Path) -> Notify:
    """What `conf/local.yaml` sets below `notify`; nobody is told where it sets nothing.

    Raises:
        UsageError: as in `local_settings`.
    """
    said = _read(conf).get("notify", {})
    return Notify(
        command=tuple(said.get("command", ())),
        webhook=said.get("webhook", ""),
        on=tuple(said.get("on", EVENTS)),
    )


def _read(conf: Path) -> dict[str, dict[str, Any]]:
    """`conf/local.yaml`, checked."""
    file = conf / "local.yaml"
    if not file.exists():
        return {}
    document = yaml_file.read_mapping(file, "conf/local.yaml")
    problems = list(yaml_file.misread_texts(document))
    for group, keys in document.items():
        if group not in _PERSONAL and group != "notify":
            problems.append(
                f"{group}: only {', '.join(_PERSONAL)}, notify may be set here; "
                "what can change a result belongs in a tracked file of conf/ or on the command line"
            )
        elif not isinstance(keys, dict):
            example = _PERSONAL.get(group, "command: [notify-send, ctexp]")
            problems.append(f"{group}: expected keys below it, for example {group}: {{{example}}}")
        elif group == "notify":
            problems += _wrong_notify(keys)
    if problems:
        raise UsageError([f"conf/local.yaml: {problem}" for problem in problems])
    return document


def _wrong_notify(keys: Mapping[str, Any]) -> Iterator[str]:
    """A line for each thing that cannot be used. No line repeats an address, which may hold a secret."""
    for key, value in keys.items():
        words = value if isinstance(value, list) and value else [None]
        texts = all(isinstance(word, str) for word in words)
        if key not in _NOTIFY:
            yield f"notify.{key}: unknown key; choose one of: {', '.join(_NOTIFY)}"
        elif key == "command" and not (texts and words[0]):
            yield f"notify.command: expected a program and its words as a list: {_NOTIFY[key]}"
        elif key == "webhook" and not (isinstance(value, str) and _is_address(value)):
            yield f"notify.webhook: expected an address of http or https: {_NOTIFY[key]}"
        elif key == "on" and not (texts and set(words) <= set(EVENTS)):
            yield f"notify.on: expected some of {', '.join(EVENTS)}: {_NOTIFY[key]}"


def _is_address(said: str) -> bool:
    try:
        parts = urlsplit(said)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and said.isprintable()


def tracker_settings(environment: Mapping[str, str]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """What the trackers' usual environment variables set, by variable, and a line for each wrong one.

    Returns:
        For example `{"WANDB_MODE": {"logger": {"mode": "online"}}}`; a disabled one is `logger.name=none`.
    """
    found: dict[str, dict[str, Any]] = {}
    problems: list[str] = []
    for variable, key in _VARIABLES.items():
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
