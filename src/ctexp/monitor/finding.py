"""What the monitor says: findings with their evidence, and what it could not tell."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from ctexp.planning.diagnosis.findings import Confidence

Severity = Literal["note", "warning", "alarm"]
"""`note`: worth knowing. `warning`: figures are worse than they could be, or mean less than they seem to.
`alarm`: figures mean nothing before it is seen to."""

_ABOUT = ("class", "metric", "of")
"""Evidence that tells two findings of one rule apart."""

_ORDER: tuple[Severity, ...] = get_args(Severity)


@dataclass(frozen=True)
class Finding:
    """Something that looks wrong.

    Attributes:
        rule: its name.
        runs: the ids of those it is about, the one that shows it first; of the project, those it cites.
        message: a sentence without its full stop, with the figures that matter.
        advice: one thing to do next.
        evidence: the figures by name, JSON values.
        confidence: how sure one may be that it is what it is called.
        epoch: after which it was seen last; None where it is not about epochs.
        passed: whether it was seen on the way, and is over.
    """

    rule: str
    severity: Severity
    runs: tuple[str, ...]
    message: str
    advice: str
    evidence: Mapping[str, Any] = field(default_factory=dict, hash=False)
    confidence: Confidence = "moderate"
    epoch: int | None = None
    passed: bool = False


@dataclass(frozen=True)
class Unknown:
    """A rule that could not be asked, and why, a few words."""

    rule: str
    why: str


@dataclass(frozen=True)
class Judged:
    """A run with what was found.

    Attributes:
        epochs: trained so far.
        findings: the gravest first.
        unknown: what nobody can tell of it.
    """

    run: str
    name: str
    state: str
    epochs: int
    findings: tuple[Finding, ...]
    unknown: tuple[Unknown, ...]


@dataclass(frozen=True)
class Report:
    """Runs that were looked at, and what is said of the project's conclusions.

    Attributes:
        runs: newest first.
        project: findings about conclusions rather than runs.
        notes: what could not be read, one line each.
    """

    runs: tuple[Judged, ...]
    project: tuple[Finding, ...]
    notes: tuple[str, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All of them, the gravest first."""
        return gravest_first([*self.project, *(one for run in self.runs for one in run.findings)])

    @property
    def counts(self) -> dict[Severity, int]:
        """How many of each severity, the gravest first."""
        severities = [one.severity for one in self.findings]
        return {severity: severities.count(severity) for severity in reversed(_ORDER)}

    @property
    def objects(self) -> bool:
        """Whether anything is at least a warning."""
        return any(one.severity != "note" for one in self.findings)

    def document(self) -> dict[str, Any]:
        """JSON values; a figure that is undefined is null."""
        document: dict[str, Any] = _finite({"counts": self.counts, **asdict(self)})
        return document


def told_apart(one: Finding) -> tuple[Any, ...]:
    """What tells it apart from other findings of its rule, such as its class."""
    return tuple(one.evidence.get(name) for name in _ABOUT)


def gravest_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """In the order of severity, else as they come."""
    return tuple(sorted(findings, key=lambda one: -_ORDER.index(one.severity)))


def _finite(value: Any) -> Any:
    match value:
        case float() if not math.isfinite(value):
            return None
        case dict():
            return {key: _finite(item) for key, item in value.items()}
        case list() | tuple():
            return [_finite(item) for item in value]
        case _:
            return value
