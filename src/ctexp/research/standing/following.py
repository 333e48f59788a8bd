"""What to do next: the first thing that brings the research further, and the rest of them."""

import shlex
from collections.abc import Collection

from ctexp.research.places import Places
from ctexp.research.plan.references import in_order
from ctexp.research.standing.standing import Standing, Stands


def following(found: Standing, places: Places, running: Collection[str] = ()) -> tuple[str, ...]:
    """What can be done now, a line each, the most urgent first: commands to paste, pages to read."""
    if not found.plan.experiments:
        return (_command("research-new", "ID"),)
    order = [found.experiments[name] for name in in_order(found.plan) if name not in running]
    steps = [step for stands in order if stands.state == "open" for step in _of(stands)]
    doubtful = [its for its in order if its.state not in ("open", "blocked") and not its.counts]
    steps += [_to_decide(stands, places) for stands in doubtful if stands.assessment.status != "pivoted"]
    checked = [_command("findings-check")] if any(stands.answered for stands in order) else []
    return (*steps, *checked)


def _to_decide(stands: Stands, places: Places) -> str:
    page = places.experiment_findings(stands.experiment.id).relative_to(places.root).as_posix()
    return f"decide what follows from {stands.experiment.id} ({stands.word}): {page}"


def _of(stands: Stands) -> list[str]:
    """What an experiment lacks that waits for nothing."""
    name = stands.experiment.id
    states = {part.state for part in stands.parts.values()}
    if not stands.parts:
        return [f"name the parts of {name} in the plan: sub_experiments"]
    if "no handler" in states:
        return [_command("research-new", name)]
    if states <= {"completed", "failed"} and "failed" in states:
        return [_command("research-run", "--experiment-id", name, "--rerun-failed")]
    if states == {"completed"}:
        return [f"see that a handler of {name} tells {_untold(stands)}"]
    return [_command("research-run", "--experiment-id", name)]


def _untold(stands: Stands) -> str:
    return ", ".join(one.criterion.metric for one in stands.assessment.criteria if one.verdict == "missing")


def _command(*words: str) -> str:
    return shlex.join(("scripts/inv", *words))
