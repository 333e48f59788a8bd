"""Where every experiment and every gate stands: computed from records, whatever people wrote of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ctexp.research.assessment import Assessment, assess
from ctexp.research.parts import Part, parts
from ctexp.research.places import Places
from ctexp.research.plan.content import Experiment, Gate, ResearchPlan
from ctexp.research.plan.references import in_order

State = Literal["met", "answered", "review", "not met", "open", "blocked"]


@dataclass(frozen=True)
class Stands:
    """An experiment.

    Attributes:
        parts: by id, in the order of the plan.
        assessment: of its figures.
        waits: what has to come before, a line each.
    """

    experiment: Experiment
    parts: Mapping[str, Part]
    assessment: Assessment
    waits: tuple[str, ...]

    @property
    def answered(self) -> bool:
        """Whether all its parts have real answers of today, whatever they say."""
        return self.assessment.status in ("completed", "pivoted")

    @property
    def counts(self) -> bool:
        """Whether a gate may rest on it: met, or answered where nothing was asked; not in low confidence."""
        return self.state in ("met", "answered") and self.assessment.confidence != "low"

    @property
    def state(self) -> State:
        """In one word: what is to be done, or what came of it."""
        verdicts = {one.verdict for one in self.assessment.criteria}
        if self.waits:
            return "blocked"
        if not self.answered or "missing" in verdicts:
            return "open"
        if self.assessment.met:
            return "met"
        if not verdicts and self.experiment.kind == "question":
            return "answered"
        return "not met" if "failed" in verdicts else "review"

    @property
    def word(self) -> str:
        """The same, with the reason where an answer does not count."""
        doubted = self.state in ("met", "answered") and not self.counts
        return f"{self.state}, confidence {self.assessment.confidence}" if doubted else self.state


@dataclass(frozen=True)
class GateStands:
    """A gate.

    Attributes:
        open: whether all its experiments are met.
        why: a line for each experiment that it rests on.
    """

    gate: Gate
    open: bool
    why: tuple[str, ...]


@dataclass(frozen=True)
class Standing:
    """The whole plan.

    Attributes:
        experiments: by id, in the order of the file.
        gates: likewise.
    """

    plan: ResearchPlan
    experiments: Mapping[str, Stands]
    gates: Mapping[str, GateStands]


def standing(root: Path, plan: ResearchPlan, data_dir: Path, *, stub: bool = False) -> Standing:
    """Work out where a plan stands.

    Args:
        root: the project's folder.
        plan: of the project.
        data_dir: the folder of its data.
        stub: by the records of stub runs, which meet nothing.
    """
    places = Places(root, stub)
    known: dict[str, Stands] = {}
    for name in in_order(plan):
        experiment = plan.experiments[name]
        found = parts(places, data_dir, experiment)
        waits = _waits(experiment, plan, known)
        assessment = assess(
            experiment,
            found,
            blockers=waits,
            replaced=any(one.replaces == name for one in plan.experiments.values()),
        )
        known[name] = Stands(experiment, found, assessment, waits)
    gates = {name: _gate(gate, known) for name, gate in plan.gates.items()}
    return Standing(plan, {name: known[name] for name in plan.experiments}, gates)


def _waits(experiment: Experiment, plan: ResearchPlan, known: Mapping[str, Stands]) -> tuple[str, ...]:
    """What an experiment waits for: dependencies without an answer, gates that are closed."""
    needed = [f"{name} is not completed" for name in experiment.dependencies if not known[name].answered]
    gates = [gate for gate in plan.gates.values() if experiment.id in gate.unlocks]
    return (*needed, *(f"gate {gate.id} is closed" for gate in gates if not _gate(gate, known).open))


def _gate(gate: Gate, known: Mapping[str, Stands]) -> GateStands:
    required = [known[name] for name in gate.experiments]
    why = tuple(f"{one.experiment.id}: {one.word}" for one in required) or ("it names no experiments",)
    return GateStands(gate, bool(required) and all(one.counts for one in required), why)
