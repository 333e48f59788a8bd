"""What a research plan says once it has been read: defaults filled in, directions known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Direction = Literal["higher", "lower"]
Kind = Literal["claim", "question", "pivot"]


@dataclass(frozen=True)
class Criterion:
    """When a metric of an experiment is good enough.

    Attributes:
        metric: its name among the metrics of the handlers' records; see `assessment.find`.
        target: met where the whole interval is at least as good.
        acceptable: what one could live with; None where nothing is said.
        failure: failed where the whole interval is no better; None likewise.
        direction: which way is better.
        extra: keys that nobody here knows, kept; so in all that follows.
        line: of the plan's file.
    """

    metric: str
    target: float
    acceptable: float | None = None
    failure: float | None = None
    direction: Direction = "higher"
    note: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True)
class SubExperiment:
    """A part of an experiment, answered by one handler.

    Attributes:
        id: the name of its handler's file.
    """

    id: str
    name: str = ""
    description: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Experiment:
    """A claim to be tested, a question to be answered, or what replaces one that failed.

    Attributes:
        said_status: what somebody wrote in the file; the status that counts is computed.
        achieved: likewise, numbers somebody wrote down; shown as such and never judged.
        replaces: the experiment that this one is the pivot of.
        criteria: by metric, in the order of the file.
        dependencies: experiments that have to be completed before.
    """

    id: str
    name: str
    kind: Kind
    phase: str = ""
    said_status: str = ""
    description: str = ""
    outcome: str = ""
    achieved: Mapping[str, Any] = field(default_factory=dict)
    replaces: str | None = None
    subs: tuple[SubExperiment, ...] = ()
    criteria: Mapping[str, Criterion] = field(default_factory=dict)
    dependencies: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True)
class Gate:
    """What has to be met before something else is worth its time.

    Attributes:
        experiments: all of which have to be met.
        unlocks: experiments, or other things in words.
        said_status: what somebody wrote in the file; it opens nothing.
    """

    id: str
    name: str
    description: str = ""
    experiments: tuple[str, ...] = ()
    unlocks: tuple[str, ...] = ()
    said_status: str = ""
    note: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True)
class ResearchPlan:
    """The whole plan.

    Attributes:
        shown: the file as people call it.
        project: `name`, `hypothesis`, `architecture` and what else stands there.
        rest: `archived`, `links`, `last_updated`, `future_research`, and keys that nobody here knows.
        warnings: one line each.
    """

    shown: str
    project: Mapping[str, Any]
    experiments: Mapping[str, Experiment]
    gates: Mapping[str, Gate]
    rest: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
