"""The hypotheses of a plan, each with its evidence, its outcome and what follows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ctexp.config.verdict import VerdictSettings
from ctexp.planning.plan.document import Experiment, Improvement, Plan, Threshold
from ctexp.queue.morning import criteria
from ctexp.queue.morning.documents import (
    Criterion,
    ExperimentReport,
    JobReport,
    Outcome,
    SeedReport,
    TargetReport,
)
from ctexp.queue.morning.evidence import Evidence
from ctexp.queue.morning.improvements import Comparer
from ctexp.queue.morning.insight import Case, insight, next_steps
from ctexp.queue.morning.searches import Search
from ctexp.queue.orders import Orders
from ctexp.queue.state import Night


@dataclass(frozen=True)
class Hypotheses:
    """The experiments of a plan, judged together.

    Attributes:
        jobs: all of the queue.
        settings: None where `conf/verdict.yaml` cannot be read.
    """

    orders: Orders
    night: Night
    jobs: Sequence[JobReport]
    plan: Plan
    settings: VerdictSettings | None

    def target(self) -> TargetReport | None:
        """None where the plan states none."""
        return criteria.target(self.plan.target, self._evidence) if self.plan.target else None

    def reports(self) -> list[ExperimentReport]:
        """One of each experiment, in the order of the plan."""
        wanted = {
            name: self._criterion(experiment.success)
            for name, experiment in self.plan.experiments.items()
            if experiment.success is not None
        }
        outcomes = self._outcomes(wanted) | self._not_tested(wanted)
        return [
            self._report(name, experiment, wanted.get(name), outcomes.get(name))
            for name, experiment in self.plan.experiments.items()
        ]

    @property
    def _baseline(self) -> str:
        return self.orders.baseline or "baseline"

    @cached_property
    def _evidence(self) -> dict[str, Evidence]:
        """By experiment; sweeps are none, and told by themselves."""
        runs = Path(self.orders.runs)
        return {
            name: Evidence.of(name, runs, experiment.kind == "cross-validate", self._jobs_of(name))
            for name, experiment in self.plan.experiments.items()
            if experiment.kind != "sweep"
        }

    def _jobs_of(self, experiment: str) -> list[JobReport]:
        return [job for job in self.jobs if job.experiment == experiment]

    def _criterion(self, success: Threshold | Improvement) -> Criterion:
        worthwhile = self.settings.worthwhile if self.settings else None
        return criteria.criterion(success, self._baseline, worthwhile)

    def _outcomes(self, wanted: Mapping[str, Criterion]) -> dict[str, Outcome]:
        """By experiment, of all that state a criterion."""
        found: dict[str, Outcome] = {}
        improvements: dict[str, Criterion] = {}
        for name, criterion in wanted.items():
            success = self.plan.experiments[name].success
            if isinstance(success, Threshold):
                found[name] = criteria.of_value(self._evidence[name], success)
            else:
                improvements[name] = criterion
        if not improvements:
            return found
        if self.settings is None:
            unjudged = Outcome(status="undecided", said="conf/verdict.yaml cannot be read")
            return found | dict.fromkeys(improvements, unjudged)
        root, runs = Path(self.orders.root), Path(self.orders.runs)
        comparer = Comparer(root, runs, self._baseline, self._evidence, self.settings)
        return found | comparer.outcomes(improvements)

    def _not_tested(self, wanted: Iterable[str]) -> dict[str, Outcome]:
        """Of those of which no job was begun, or only such as were dropped by hand."""
        found: dict[str, Outcome] = {}
        for name in wanted:
            jobs = self._jobs_of(name)
            if all(job.kind == "cancelled" or not job.attempts for job in jobs):
                begun = "those that were begun have been dropped by hand"
                said = begun if any(job.attempts for job in jobs) else "no job of it was begun"
                found[name] = Outcome(status="not tested", said=said)
        return found

    def _report(
        self,
        name: str,
        experiment: Experiment,
        criterion: Criterion | None,
        outcome: Outcome | None,
    ) -> ExperimentReport:
        jobs, runs = self._jobs_of(name), Path(self.orders.runs)
        if experiment.kind == "sweep":
            others = self.plan.experiments.items()
            after = [other for other, one in others if one.base and name in one.base.best_of]
            its = Evidence.of(name, runs, False, [job for job in jobs if job.state != "done"])
            search = Search(jobs, runs, after)
            seen, steps = search.insight(), search.next_steps()
        else:
            its, primary = self._evidence[name], f"val/{self.orders.primary}"
            baseline = self._evidence.get(self._baseline) or self.orders.baseline
            case = Case(its, jobs, criterion, outcome, baseline, primary, self.orders.plan_file)
            seen, steps = insight(case), next_steps(case)
        return ExperimentReport(
            experiment=name,
            kind=experiment.kind,
            hypothesis=experiment.hypothesis,
            expected=experiment.expected,
            notes=experiment.notes,
            criterion=criterion,
            outcome=outcome,
            seeds=tuple(self._seeds(its, experiment, criterion)),
            left_out=its.left_out,
            deviations=tuple(f"{job.job}: {line}" for job in jobs for line in job.deviations),
            decided=tuple(self._decided(name)),
            warnings=tuple(its.warnings()),
            insight=tuple(seen),
            next=tuple(steps),
        )

    def _seeds(self, its: Evidence, experiment: Experiment, criterion: Criterion | None) -> list[SeedReport]:
        """The finished ones, each with the metrics that the plan asks about."""
        target = self.plan.target
        asked = [
            *([criterion.metric] if criterion else []),
            f"val/{self.orders.primary}",
            *experiment.track,
            *([target.metric] if target else []),
        ]
        return [
            SeedReport(
                seed=seed.job.seed,
                job=seed.job.job,
                run=seed.place.id,
                fallback=seed.job.fallback,
                metrics={name: found for name in asked if (found := its.measured(seed, name))},
            )
            for seed in its.seeds
        ]

    def _decided(self, experiment: str) -> list[str]:
        """What the journal says of its gate and its base."""
        lines = []
        if gate := self.night.decisions.get(("gate", experiment)):
            seen = "nothing" if gate["observed"] is None else f"{gate['observed']:.4g}"
            passed = "passed" if gate["passed"] else "not passed"
            asked = f"{gate['metric']} of {gate['after']} {gate['op']} {gate['value']:g}"
            lines.append(f"gate {passed}: {asked}, seen {seen}")
        if base := self.night.decisions.get(("base", experiment)):
            scores = ", ".join(
                f"{name} {'unknown' if score is None else f'{score:.4g}'}"
                for name, score in base["scores"].items()
            )
            winner = base["winner"] or "nothing"
            among = f", by {base['by']}: {scores}" if len(base["scores"]) > 1 else ""
            its = self.plan.experiments.get(winner)
            is_sweep = its is not None and its.kind == "sweep"
            what = (
                f"best trial of {winner}, {' '.join(base['words'])}" if is_sweep else f"overrides of {winner}"
            )
            lines.append(f"began with the {what}{among}")
        return lines
