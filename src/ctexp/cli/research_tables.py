"""Where the research stands, as it is printed, and as a document."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from ctexp.cli.sentences import wrapped
from ctexp.research.assessment import Assessment, Judged
from ctexp.research.figures import Figure
from ctexp.research.parts import Part
from ctexp.research.plan.content import Criterion
from ctexp.research.standing.standing import GateStands, Standing, Stands, State

_MOST = 8  # numbers of a question that nothing is asked of

_ORDER: tuple[State, ...] = ("open", "blocked", "review", "not met", "answered", "met")


def tell(found: Standing, steps: Sequence[str], running: Collection[str] = ()) -> None:
    """Print it.

    Args:
        found: where everything stands.
        steps: what can be done now.
        running: experiments that somebody carries out at this moment.
    """
    project = found.plan.project
    if title := project.get("name"):
        hypothesis = project.get("hypothesis")
        print(wrapped(f"{title}: {hypothesis}" if hypothesis else str(title)))
    for state in ("running", *_ORDER):
        those = [
            stands
            for name, stands in found.experiments.items()
            if state == ("running" if name in running else stands.state)
        ]
        if those:
            print(f"\n{state}")
        for stands in those:
            for line in _experiment(stands):
                print(line)
    if found.gates:
        print("\ngates")
    for gate in found.gates.values():
        print(wrapped(_gate(gate), "  "))
    print()
    print(f"next: {steps[0]}" if steps else "next: nothing is left to be run")


def document(
    found: Standing, said: Sequence[str], steps: Sequence[str], running: Collection[str] = ()
) -> dict[str, Any]:
    """All of it, for programs.

    Args:
        found: where everything stands.
        said: what people wrote that is not so.
        steps: what can be done now.
        running: experiments that somebody carries out at this moment.
    """
    return {
        "plan": found.plan.shown,
        "project": dict(found.plan.project),
        "experiments": [
            _entry(stands) | {"running": name in running} for name, stands in found.experiments.items()
        ],
        "gates": [
            {
                "id": its.gate.id,
                "name": its.gate.name,
                "open": its.open,
                "why": its.why,
                "unlocks": its.gate.unlocks,
                "said_status": its.gate.said_status or None,
            }
            for its in found.gates.values()
        ],
        "disagreements": list(said),
        "warnings": list(found.plan.warnings),
        "next": list(steps),
    }


def _experiment(stands: Stands) -> Iterator[str]:
    one, parts = stands.experiment, stands.parts.values()
    name = "" if one.name == one.id else f"  {one.name}"
    completed = sum(part.state == "completed" for part in parts)
    advice = f", {_advice(stands.assessment)}" if stands.answered else ""
    yield wrapped(f"{one.id}{name}", "  ")
    yield wrapped(f"{one.kind}, {completed} of {len(parts)} parts answered{advice}", "    ")
    for line in stands.waits:
        yield wrapped(f"waits: {line}", "    ")
    for state, said in (("no handler", "no handler yet"), ("missing", "not run yet")):
        if those := [part.sub for part in parts if part.state == state]:
            yield wrapped(f"{said}: {', '.join(those)}", "    ")
    for part in parts:
        if part.state not in ("completed", "no handler", "missing"):
            yield wrapped(f"{part.sub}: {part.state}, {part.said}", "    ")
    for judged in stands.assessment.criteria:
        said = f"{judged.verdict}: {judged.said}" if stands.answered else _wanted(judged.criterion)
        yield wrapped(said, "    ")
    if stands.answered and not one.criteria:
        yield from (wrapped(f"{name} {figure.said()}", "    ") for name, figure in _metrics(stands)[:_MOST])


def _metrics(stands: Stands) -> list[tuple[str, Figure]]:
    """What its answers say, in the order of its parts."""
    answers = [part.answer for part in stands.parts.values() if part.answer]
    return [one for answer in answers for one in answer.metrics.items()]


def _advice(its: Assessment) -> str:
    return f"{its.recommendation}, confidence {its.confidence}"


def _wanted(criterion: Criterion) -> str:
    bound = "at least" if criterion.direction == "higher" else "at most"
    return f"wanted: {criterion.metric} {bound} {criterion.target:g}"


def _gate(its: GateStands) -> str:
    name = "" if its.gate.name == its.gate.id else f" ({its.gate.name})"
    unlocks = f"; unlocks {', '.join(its.gate.unlocks)}" if its.gate.unlocks else ""
    return f"{its.gate.id}{name}: {'open' if its.open else 'closed'} ({', '.join(its.why)}){unlocks}"


def _entry(stands: Stands) -> dict[str, Any]:
    one, its = stands.experiment, stands.assessment
    return {
        "id": one.id,
        "name": one.name,
        "type": one.kind,
        "phase": one.phase or None,
        "state": stands.state,
        "status": its.status,
        "met": stands.state == "met",
        "counts_for_gates": stands.counts,
        "recommendation": its.recommendation,
        "confidence": its.confidence,
        "confidence_notes": its.confidence_notes,
        "waits": stands.waits,
        "criteria": [_criterion(judged) for judged in its.criteria],
        "parts": [_part(part) for part in stands.parts.values()],
        "notes": its.notes,
        "blockers": its.blockers,
        "issues": its.issues,
        "said_status": one.said_status or None,
        "said_achieved": dict(one.achieved),
    }


def _part(part: Part) -> dict[str, Any]:
    counted = part.answer.metrics if part.answer and part.state == "completed" else {}
    return {
        "id": part.sub,
        "state": part.state,
        "said": part.said or None,
        "metrics": {name: _numbers(figure) for name, figure in counted.items()},
    }


def _numbers(figure: Figure | None) -> dict[str, Any]:
    if figure is None:
        return {"value": None, "low": None, "high": None}
    return {"value": figure.value, "low": figure.low, "high": figure.high}


def _criterion(judged: Judged) -> dict[str, Any]:
    return {
        **_thresholds(judged.criterion),
        "verdict": judged.verdict,
        **_numbers(judged.figure),
        "sub": judged.sub or None,
        "said": judged.said,
    }


def _thresholds(criterion: Criterion) -> dict[str, Any]:
    said = asdict(criterion)
    return {key: said[key] for key in ("metric", "target", "acceptable", "failure", "direction", "note")}
