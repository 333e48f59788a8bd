"""The jobs a plan stands for: `<experiment>-s<seed>`, each with the words of its command.

Plain data without pydantic: the queue reads it back many times a night.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

from ctexp.core import durations

if TYPE_CHECKING:
    from ctexp.planning.plan.document import Experiment, Plan


LEAST_SECONDS = 60.0
"""What a job of unknown cost is taken to need, and the least that a shortened one is begun for."""


@dataclass(frozen=True)
class GateRule:
    """See `document.Gate`."""

    after: str
    metric: str
    op: str
    value: float


@dataclass(frozen=True)
class BaseRule:
    """See `document.Base`; `by` is None for the primary metric of `conf/verdict.yaml`."""

    best_of: tuple[str, ...]
    by: str | None


@dataclass(frozen=True)
class Job:
    """One command of a night.

    Attributes:
        id: `<experiment>-s<seed>`.
        verb: `train`, `cross-validate` or `sweep`.
        common: words every job of the plan has.
        own: those of its experiment; a base's come between, less what these set again.
        fixed: those that tell jobs apart: name and seed.
        fallback: words that are added, by the kind of failure.
        needs: experiments all of whose jobs have to be done before; those of gate and base are not repeated.
        worth: of its experiment, see `document.Experiment`; the baseline is worth what is judged by it, too.
        limit_seconds: None for the window.
        flags: words before the overrides: the file and the budget of a sweep.
        budget_seconds: of a sweep; None for all others.
    """

    id: str
    experiment: str
    seed: int
    verb: str
    common: tuple[str, ...]
    own: tuple[str, ...]
    fixed: tuple[str, ...]
    fallback: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    gate: GateRule | None = None
    base: BaseRule | None = None
    priority: int = 0
    limit_seconds: float | None = None
    shorten: bool = False
    worth: float = 1.0
    flags: tuple[str, ...] = ()
    budget_seconds: float | None = None

    @property
    def is_sweep(self) -> bool:
        """Whether it searches instead of answering."""
        return self.verb == "sweep"

    @property
    def waits_for(self) -> tuple[str, ...]:
        """Every experiment that has to be over before this job can be decided about."""
        gate = (self.gate.after,) if self.gate else ()
        return tuple(dict.fromkeys((*self.needs, *gate, *(self.base.best_of if self.base else ()))))

    @property
    def run_name(self) -> str:
        """What its runs are called, and asked for by, as planned."""
        word = next(word for word in reversed(self.overrides()) if key_of(word) == "run.name")
        return word.partition("=")[2].strip("'\"")

    def overrides(self, fallback: str | None = None, base: Sequence[str] = ()) -> tuple[str, ...]:
        """The words after the verb, later ones having won over earlier ones of the same key.

        Args:
            fallback: the kind of failure whose words are added; its run gets a name of its own, since it is
                another configuration.
            base: the winner's own words, where the job has a base.
        """
        words = [*self.common, *base, *self.own]
        if fallback is None:
            return last_words([*words, *self.fixed])
        named = f"run.name={self.run_name}-{fallback}"
        words = [*words, *self.fallback[fallback], *self.fixed]
        return tuple(named if key_of(word) == "run.name" else word for word in last_words(words))

    def document(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """The job that `document` gave."""
        values = dict(document)
        for name in ("common", "own", "fixed", "needs", "flags"):
            values[name] = tuple(values.get(name, ()))
        values["fallback"] = {kind: tuple(words) for kind, words in values["fallback"].items()}
        values["gate"] = GateRule(**values["gate"]) if values["gate"] else None
        if base := values["base"]:
            values["base"] = BaseRule(tuple(base["best_of"]), base["by"])
        return cls(**values)


def jobs_of(plan: "Plan") -> list[Job]:
    """Every job, in the order of the plan: experiment by experiment, seed by seed."""
    return [
        _job(plan, name, experiment, seed)
        for name, experiment in plan.experiments.items()
        for seed in experiment.seeds_in(plan)
    ]


def in_order(jobs: Sequence[Job]) -> list[Job]:
    """Jobs such that each comes after all it waits for; greater priorities first, else as they stand.

    What waits for itself, by however many others, or for what is not there, comes last: a check names it.
    """
    members: dict[str, list[int]] = {}
    for index, job in enumerate(jobs):
        members.setdefault(job.experiment, []).append(index)
    open_for = {name: set(jobs[indices[0]].waits_for) for name, indices in members.items()}
    waiting: dict[str, list[str]] = {}
    for name, others in open_for.items():
        for other in others:
            waiting.setdefault(other, []).append(name)
    left = {name: len(indices) for name, indices in members.items()}
    ready: list[tuple[int, int]] = []

    def release(name: str) -> None:
        for index in members[name]:
            heapq.heappush(ready, (-jobs[index].priority, index))

    for name in members:
        if not open_for[name]:
            release(name)
    order: list[int] = []
    while ready:
        order.append(heapq.heappop(ready)[1])
        experiment = jobs[order[-1]].experiment
        left[experiment] -= 1
        for name in waiting.get(experiment, ()) if not left[experiment] else ():
            open_for[name].discard(experiment)
            if not open_for[name]:
                release(name)
    reached = set(order)
    return [jobs[index] for index in [*order, *(i for i in range(len(jobs)) if i not in reached)]]


def experiment_of(job: str) -> str:
    """The experiment that a job's id names."""
    return job.rpartition("-s")[0]


def last_words(words: Sequence[str]) -> tuple[str, ...]:
    """Overrides of which each key is said once: the last word on it stands where that was said."""
    keys = [key_of(word) for word in words]
    last = {key: index for index, key in enumerate(keys)}
    return tuple(word for index, word in enumerate(words) if last[keys[index]] == index)


def key_of(word: str) -> str:
    """`data.batch_size` of `++data.batch_size=32`."""
    return word.lstrip("+~").partition("=")[0]


def _job(plan: "Plan", name: str, experiment: "Experiment", seed: int) -> Job:
    gate, base = experiment.gate, experiment.base
    named = (
        ()
        if any(key_of(word) == "run.name" for word in experiment.overrides)
        else (f"run.name={plan.name}-{name}",)
    )
    return Job(
        id=f"{name}-s{seed}",
        experiment=name,
        seed=seed,
        verb=experiment.kind,
        common=tuple(plan.common),
        own=tuple(experiment.overrides),
        fixed=(*named, f"seed={seed}"),
        fallback={kind: tuple(words) for kind, words in experiment.fallback.items()},
        needs=tuple(experiment.needs),
        gate=GateRule(gate.after, gate.metric, gate.op, gate.value) if gate else None,
        base=BaseRule(tuple(base.best_of), base.by) if base else None,
        priority=experiment.priority,
        limit_seconds=durations.seconds(experiment.limit) if experiment.limit else None,
        shorten=experiment.shorten,
        worth=_worth(plan, name, experiment),
        flags=_flags(experiment),
        budget_seconds=durations.seconds(experiment.budget) if experiment.budget else None,
    )


def _flags(experiment: "Experiment") -> tuple[str, ...]:
    """A sweep is made and worked on by one program; the night itself is the pilot."""
    if experiment.kind != "sweep":
        return ()
    return (f"--config={experiment.sweep}", f"--budget={experiment.budget}", "--work", "--no-pilot")


def _worth(plan: "Plan", name: str, experiment: "Experiment") -> float:
    """Its own; no answer that says "better than the baseline" is worth anything without the baseline's."""
    if name != plan.baseline:
        return experiment.worth
    judged = (
        one for one in plan.experiments.values() if getattr(one.success, "better_than", None) == "baseline"
    )
    return experiment.worth + sum(one.worth for one in judged if one is not experiment)
