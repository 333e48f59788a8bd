"""What a handler gives back, checked: everything that is wrong at once, with what was expected."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from ctexp.core.errors import UsageError
from ctexp.core.names import did_you_mean
from ctexp.research.figures import Figure, Reported, quotes
from ctexp.research.record import Artifact
from ctexp.research.runner.values import Warn, number

_KEYS = ("finding", "metrics", "artifacts")
_EXPECTED = 'return {"finding": "…", "metrics": {"name": runner.figure(…)}, "artifacts": ["table.json"]}'
_BOUNDS = ("value", "low", "high")


class BadReturn(UsageError):
    """A handler came to its end and gave back something that is no answer."""


@dataclass(frozen=True)
class Returned:
    """What a handler gave back.

    Attributes:
        metrics: figures by the names it gave them.
        cited: figures that the finding cites, and that are neither metrics nor what these were derived from.
        artifacts: those that it names, or all that it has saved where it names none.
    """

    finding: str
    metrics: dict[str, Figure]
    cited: tuple[Figure, ...]
    artifacts: tuple[Artifact, ...]


def returned(value: Any, saved: Collection[Artifact], made: Mapping[str, Figure], warn: Warn) -> Returned:
    """Check what a handler gave back.

    Args:
        value: that.
        saved: its artifacts.
        made: every figure it has been given, by its mark.
        warn: given a line about what is not kept as it is.

    Raises:
        BadReturn: it is no answer.
    """
    if not isinstance(value, Mapping):
        raise BadReturn(f"the handler returned {_kind(value)}, and a mapping is expected", _EXPECTED)
    problems = [
        f"it returned an unknown key {key!r}; {did_you_mean(str(key), _KEYS)}"
        for key in value
        if key not in _KEYS
    ]
    finding = value.get("finding")
    if not isinstance(finding, str) or not finding.strip():
        problems.append(f"finding: a sentence is expected, got {finding!r}")
    metrics: dict[str, Figure] = {}
    measured = value.get("metrics", {})
    if not isinstance(measured, Mapping):
        problems.append(f"metrics: figures by name are expected, got {_kind(measured)}")
        measured = {}
    for name, its in measured.items():
        try:
            metrics[_name(name)] = _own(figure(its, f"metrics.{name}", warn), f"metrics.{name}", made)
        except UsageError as error:
            problems += error.problems
    named = value.get("artifacts")
    artifacts = tuple(saved)
    if named is not None:
        known = {one.name: one for one in saved}
        if isinstance(named, str) or not isinstance(named, list | tuple | set | frozenset):
            problems.append(f"artifacts: a list of names is expected, got {named!r}")
            named = ()
        problems += [
            f"artifacts: {name!r} was not saved; {did_you_mean(str(name), known)}".rstrip("; ")
            for name in named
            if name not in known
        ]
        artifacts = tuple(known[name] for name in named if name in known)
    told = {part.mark for its in metrics.values() for part in its.whole()}
    marks = [quote.mark for quote in quotes(str(finding)) if quote.mark not in told]
    problems += [
        f"finding: [^{mark}] cites a figure that neither is a metric nor came from the runner"
        for mark in dict.fromkeys(marks)
        if mark not in made
    ]
    if problems:
        raise BadReturn(problems, _EXPECTED)
    cited = tuple(made[mark] for mark in dict.fromkeys(marks))
    return Returned(" ".join(str(finding).split()), metrics, cited, artifacts)


def _own(its: Figure, what: str, made: Mapping[str, Figure]) -> Figure:
    """A figure that says where it came from, if that is from the runner.

    Raises:
        UsageError: somebody else made it, or changed it.
    """
    if its.mark not in made and any(not isinstance(part.source, Reported) for part in its.whole()):
        raise UsageError(f"{what}: the figure says where it came from, and did not come from the runner")
    return its


def figure(value: Any, what: str, warn: Warn) -> Figure:
    """A figure as it is, or a merely reported one: a number, `(value, low, high)`, or a mapping of these.

    Raises:
        UsageError: it is none of these.
    """
    if isinstance(value, Figure):
        return value
    if isinstance(value, Mapping):
        if unknown := [key for key in value if key not in _BOUNDS]:
            raise UsageError(f"{what}: {unknown[0]!r} is unknown; value, low and high are expected")
        parts = [value.get(key) for key in _BOUNDS]
    elif isinstance(value, tuple | list) and len(value) == len(_BOUNDS):
        parts = list(value)
    else:
        parts = [value, None, None]
    if parts[0] is None and isinstance(value, Mapping) and "value" not in value:
        raise UsageError(f"{what}: it has no value")
    numbers = [
        number(part, what if place == 0 else f"{what}.{_BOUNDS[place]}", warn)
        for place, part in enumerate(parts)
    ]
    value_, low, high = (None if part is None else float(part) for part in numbers)
    try:
        return Figure(value=value_, low=low, high=high)
    except ValidationError as error:
        said = error.errors(include_url=False, include_input=False)[0]["msg"].removeprefix("Value error, ")
        raise UsageError(f"{what}: {said}") from error


def _name(name: Any) -> str:
    if not isinstance(name, str) or not name.strip():
        raise UsageError(f"metrics: {name!r} is no name")
    if name.startswith("test/"):
        raise UsageError(f"metrics: {name}: the test split stays sealed")
    return name


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"{type(value).__qualname__} {value!r:.60}"
