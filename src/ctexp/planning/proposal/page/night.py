"""A proposal as its page looks at it: the jobs in their order, and how long each takes."""

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

    def at(self, stage: Stage) -> list[str]:
        """The experiments of a stage, in the order of the plan."""
        return [name for name in self.plan.experiments if self.reason(name).stage == stage]

    @cached_property
    def judged(self) -> list[str]:
        """The experiments with a criterion."""
        return [name for name, one in self.plan.experiments.items() if one.success]

    def experiment(self, name: str) -> Experiment:
        """As the plan has it."""
        return self.plan.experiments[name]

    def runtime(self, name: str) -> str:
        """Of all jobs of an experiment: `4 min 10 s (p90 5 min 02 s)`, or a guess that says so."""
        entries = [self.entries[f"{name}-s{seed}"] for seed in self.seeds(name)]
        costs = [entry.cost for entry in entries if entry.cost]
        if len(costs) == len(entries):
            p50, p90 = sum(cost.seconds for cost in costs), sum(map(bound, costs))
            return f"{clock.duration(p50)} (p90 {clock.duration(p90)})"
        guess = self.proposal.assumed_minutes.get(name)
        if guess is None:
            return "unknown"
        return f"about {clock.duration(60 * guess * len(entries))}, a guess"

    def after(self, entry: Entry, end: bool = False) -> str:
        """When a job begins or ends, counted from the start of the night: `0 min 30 s`."""
        moment = entry.ends if end else entry.begins
        if moment is None:
            return ""
        return clock.duration((moment - self.proposal.schedule.opens).total_seconds())
