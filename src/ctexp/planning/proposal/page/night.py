"""A proposal as its page looks at it: the jobs in their order, and how long each takes."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

from ctexp.core import clock
from ctexp.planning.plan.document import Experiment, Plan
from ctexp.planning.plan.jobs import Job, in_order, jobs_of
from ctexp.planning.proposal.documents import Proposal, Reason, Stage
from ctexp.planning.schedule.costs import bound
from ctexp.planning.schedule.schedule import Entry


@dataclass(frozen=True)
class Night:
    """What the sections read.

    Attributes:
        jobs: of the plan, in the order of running as long as the window has room for all.
        entries: of the schedule, by job.
    """

    proposal: Proposal
    jobs: tuple[Job, ...]
    entries: Mapping[str, Entry] = field(hash=False)

    @classmethod
    def of(cls, proposal: Proposal) -> Self:
        """The night of a proposal; jobs stand as the schedule has them."""
        jobs = {job.id: job for job in in_order(jobs_of(proposal.plan))}
        order = [entry.job for entry in proposal.schedule.entries]
        return cls(
            proposal,
            tuple(jobs[job] for job in (order or jobs)),
            {entry.job: entry for entry in proposal.schedule.entries},
        )

    @property
    def plan(self) -> Plan:
        """Of the proposal."""
        return self.proposal.plan

    def seeds(self, name: str) -> list[int]:
        """Of an experiment."""
        return self.plan.experiments[name].seeds or self.plan.seeds

    def reason(self, name: str) -> Reason:
        """Why an experiment is there."""
        return self.proposal.reasons[name]

    @cached_property
    def order(self) -> list[str]:
        """The experiments, as their first jobs begin."""
        return list(dict.fromkeys(job.experiment for job in self.jobs))

    def at(self, stage: Stage) -> list[str]:
        """The experiments of a stage, in their order."""
        return [name for name in self.order if self.reason(name).stage == stage]

    @cached_property
    def judged(self) -> list[str]:
        """The experiments with a criterion."""
        return [name for name, one in self.plan.experiments.items() if one.success]

    def experiment(self, name: str) -> Experiment:
        """As the plan has it."""
        return self.plan.experiments[name]

    def runtime(self, name: str, mark: str = ", a guess") -> str:
        """Of all jobs of an experiment: `4 min 10 s (p90 5 min 02 s)`, or a guess with its mark."""
        entries = [self.entries[f"{name}-s{seed}"] for seed in self.seeds(name)]
        costs = [entry.cost for entry in entries if entry.cost]
        if len(costs) == len(entries):
            p50, p90 = sum(cost.seconds for cost in costs), sum(map(bound, costs))
            return f"{_rounded(p50)} (p90 {_rounded(p90)})"
        guess = self.proposal.assumed_minutes.get(name)
        if guess is None:
            return "unknown"
        return f"about {_rounded(60 * guess * len(entries))}{mark}"

    @cached_property
    def watched(self) -> list[str]:
        """Metrics that every experiment but a smoke job tells, beside the one that is to become better."""
        lists = [
            one.track for name, one in self.plan.experiments.items() if self.reason(name).stage != "smoke"
        ]
        first = lists[0] if lists else []
        return [
            metric
            for metric in first
            if metric != self.proposal.metric and all(metric in its for its in lists)
        ]

    @cached_property
    def grounds(self) -> tuple[str, ...]:
        """The runs that most of what was seen rests on; empty where nothing was seen."""
        counts = Counter(one.cites for one in self.proposal.diagnosis.seen if one.cites)
        return counts.most_common(1)[0][0] if counts else ()

    @property
    def guessed(self) -> float:
        """Seconds of all jobs whose cost nobody knows, as far as they were guessed."""
        unknown = [job.experiment for job in self.jobs if not self.entries[job.id].cost]
        return sum(60 * self.proposal.assumed_minutes.get(name, 0.0) for name in unknown)

    @property
    def device_time(self) -> str:
        """Of all jobs: `about 1 h 20 min of the GPU (a guess)`."""
        totals = self.proposal.schedule.totals
        device = "the GPU" if totals.on_gpu else "the processor"
        said = _rounded(3600 * totals.device_hours + self.guessed)
        return f"about {said} of {device}{' (in part a guess)' if totals.unknown else ''}"

    @property
    def finish(self) -> str:
        """How long after the start all is over, the analysis included."""
        schedule = self.proposal.schedule
        seconds = (schedule.totals.finish - schedule.opens).total_seconds()
        return f"about {_rounded(seconds + self.guessed)}"

    def after(self, entry: Entry) -> str:
        """When a job begins, counted from the start of the night; nothing where it is left out."""
        if entry.begins is None:
            return ""
        return _rounded((entry.begins - self.proposal.schedule.opens).total_seconds())


def _rounded(seconds: float) -> str:
    """To a second: tenths are noise here."""
    return clock.duration(seconds) if seconds >= 9.5 else f"{round(seconds)} s"
