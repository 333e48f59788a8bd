"""A plan as a file that a careful person would have written: comments, folded prose, one fact a line.

Nothing is left to a library's taste of line breaks, and what comes out reads back as the same plan.
"""

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ctexp.core import yaml_file
from ctexp.planning.plan.document import Experiment, Plan

_WIDTH = 112
_PLAIN = re.compile(r"[A-Za-z0-9_./](?:(?!: | #|[\[\]{},])[ -~])*(?<![ :])")
_PLAIN_ON_A_LINE = re.compile(r"[A-Za-z0-9_./](?:(?!: | #)[ -~])*(?<![ :])")
_PROSE = ("goal", "notes", "hypothesis", "expected")
_FLOW = ("seeds", "needs", "track", "success", "gate")
_ORDER = (
    "kind",
    "sweep",
    "budget",
    "hypothesis",
    "expected",
    "notes",
    "base",
    "gate",
    "overrides",
    "seeds",
    "needs",
    "success",
    "track",
    "priority",
    "worth",
    "fallback",
    "limit",
    "shorten",
)
"""Of an experiment's keys: what is believed, then what is done, then what is made of it."""

_TOP = ("goal", "notes", "baseline", "window", "seeds", "common", "cooldown", "reserve", "limits", "target")


def commands(name: str) -> tuple[str, str]:
    """What the head of a proposed plan says is done with it."""
    return (
        f"  scripts/inv plan-check {name}        what it will cost, and whether it fits",
        f"  scripts/inv plan-render {name}       writes scripts/{name}.sh",
    )


def text(plan: Plan, head: Sequence[str], above: Mapping[str, str]) -> str:
    """The file of a plan; its name is the file's.

    Args:
        plan: what it says; what it leaves to defaults is not written.
        head: lines of the comment at the top, in ASCII.
        above: a comment of one line for what it stands above: `common`, or an experiment's id.
    """
    said = plan.model_dump(exclude_defaults=True) | {"window": plan.window, "seeds": plan.seeds}
    lines = [f"# {line}".rstrip() for line in head]
    for key in _TOP:
        if key in said:
            lines += ["", *_comment(above.get(key), "")] if key in ("baseline", "common", "target") else []
            lines += _entry(key, said[key], "")
    lines += ["", "experiments:"]
    for index, (name, experiment) in enumerate(plan.experiments.items()):
        lines += ([""] if index else []) + _comment(above.get(name), "  ")
        body = list(_experiment(experiment))
        lines += [f"  {name}:", *body] if body else [f"  {name}: {{}}"]
    return "\n".join(lines) + "\n"


def _experiment(experiment: Experiment) -> Iterator[str]:
    said = experiment.model_dump(exclude_defaults=True)
    for key in _ORDER:
        if key in said:
            yield from _entry(key, said[key], "    ")


def _entry(key: str, value: Any, indent: str) -> Iterator[str]:
    if key in _PROSE:
        yield from _prose(key, value, indent)
    elif isinstance(value, Mapping) and key not in _FLOW:
        yield f"{indent}{key}:"
        for inner, its in value.items():
            yield f"{indent}  {inner}: {_flow(its)}"
    elif isinstance(value, list) and key not in _FLOW:
        yield f"{indent}{key}:"
        yield from (f"{indent}  - {_scalar(item, _PLAIN_ON_A_LINE)}" for item in value)
    else:
        yield f"{indent}{key}: {_flow(value)}"


def _prose(key: str, value: str, indent: str) -> Iterator[str]:
    """A sentence on its line, or a folded paragraph where it is longer."""
    line = f"{indent}{key}: {_scalar(value, _PLAIN_ON_A_LINE)}"
    if len(line) <= _WIDTH or not _folds(value):
        yield line
        return
    yield f"{indent}{key}: >-"
    inside = f"{indent}  "
    for part in textwrap.wrap(value, _WIDTH - len(inside), break_long_words=False, break_on_hyphens=False):
        yield inside + part


def _folds(value: str) -> bool:
    """Whether a folded block would give it back: plain characters, single spaces, no line of its own."""
    return value.isascii() and value.isprintable() and value == " ".join(value.split())


def _flow(value: Any) -> str:
    """On one line, whatever it is."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(its)}" for key, its in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _scalar(value: Any, plain: re.Pattern[str] = _PLAIN) -> str:
    """A text unquoted where nobody could take it for something else; JSON's way of writing is YAML's too."""
    if isinstance(value, str) and plain.fullmatch(value) and not _misread(value):
        return value
    return json.dumps(value)


def _misread(value: str) -> bool:
    """What a reader of either version of YAML would take for something else than text."""
    old_words = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
    number = re.fullmatch(r"[0-9._:e+-]+", value) is not None
    return yaml_file.resolve(value) != value or value.lower() in old_words or number


def _comment(line: str | None, indent: str) -> list[str]:
    return [f"{indent}# {_ascii(line)}"] if line else []


def _ascii(line: str) -> str:
    return " ".join(line.split()).encode("ascii", "backslashreplace").decode()
