"""What `research-run` prints: how each part fared, what its experiment amounts to, and how many failed."""

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from ctexp.core import clock
from ctexp.core.paths import shown
from ctexp.research.findings.wording import unmarked
from ctexp.research.places import Places
from ctexp.research.running.experiment import Done
from ctexp.research.running.several import Outcome
from ctexp.research.standing.standing import Standing

_SHOWN = 400
"""Characters of a failure's message; its record has all of it."""

_WORDS = {"kept": "up to date", "completed": "completed", "failed": "FAILED", "stopped": "stopped"}


def tell(outcomes: Sequence[Outcome], found: Standing, places: Places) -> None:
    """Print it; the last line counts."""
    for its in outcomes:
        name = its.experiment.id
        for line in its.waits:
            print(f"{name}: waits, {line}")
        if not its.waits and not its.parts:
            print(f"{name}: nothing of it has failed")
        width = max((len(one.sub) for one in its.parts), default=0)
        for one in its.parts:
            print(f"{name}/{one.sub:{width}}  {_line(one)}")
        if its.parts:
            assessment = found.experiments[name].assessment
            made_up = ", made up" if places.stub else ""
            page = shown(places.experiment_findings(name))
            print(f"{name}: {assessment.status}, {assessment.recommendation}{made_up}; {page}")
    completed, failed = _counts(outcomes)
    print(f"Completed: {completed} Failed: {failed}")


def document(outcomes: Sequence[Outcome], found: Standing, places: Places) -> dict[str, Any]:
    """All of it, for programs."""
    completed, failed = _counts(outcomes)
    return {
        "experiments": [
            {
                "id": its.experiment.id,
                "waits": list(its.waits),
                "parts": [_part(one) for one in its.parts],
                "status": found.experiments[its.experiment.id].assessment.status,
                "recommendation": found.experiments[its.experiment.id].assessment.recommendation,
                "findings": shown(places.experiment_findings(its.experiment.id)),
                "unwritten": list(its.unwritten),
            }
            for its in outcomes
        ],
        "stub": places.stub,
        "completed": completed,
        "failed": failed,
    }


def _line(done: Done) -> str:
    answer = done.answer
    seconds = (
        f" in {clock.duration(answer.seconds)}" if answer and done.state in ("completed", "failed") else ""
    )
    said = f"{_WORDS[done.state]}{seconds}"
    if answer is None:
        return said
    if answer.error is None:
        return f"{said}: {unmarked(answer.finding)}"
    message = "; ".join(answer.error.message.splitlines())[:_SHOWN]
    log = f"all of it: {shown(done.log)}" if done.log else ""
    hint = "; ".join(filter(None, (answer.error.hint, log)))
    return f"{said}: {answer.error.kind}: {message}" + (f" -> {hint}" if hint else "")


def _part(done: Done) -> dict[str, Any]:
    answer = done.answer
    error = answer.error if answer else None
    return {
        "id": done.sub,
        "state": done.state,
        "why": done.why or None,
        "finding": answer.finding if answer else None,
        "seconds": round(answer.seconds, 3) if answer else None,
        "error": {"kind": error.kind, "message": error.message, "hint": error.hint} if error else None,
        "log": shown(done.log) if done.log else None,
    }


def _counts(outcomes: Iterable[Outcome]) -> tuple[int, int]:
    """Parts that were asked for and are completed, those kept among them; and those that failed."""
    states = [one.state for one in itertools.chain.from_iterable(its.parts for its in outcomes)]
    return states.count("completed") + states.count("kept"), states.count("failed")
