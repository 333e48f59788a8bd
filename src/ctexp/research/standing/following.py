"""What to do next: the first thing that brings the research further, and the rest of them."""

import shlex

from ctexp.research.plan.references import in_order
from ctexp.research.standing.standing import Standing, Stands


def following(found: Standing) -> tuple[str, ...]:
    """What can be done now, a line each, in the order of the plan: commands to paste where there is one."""
    order = [found.experiments[name] for name in in_order(found.plan)]
    ready = [stands for stands in order if stands.state == "open"]
    steps = [step for stands in ready for step in _of(stands)]
    if not found.plan.experiments:
        return (_command("research-new", "ID"),)
    if not steps and any(stands.answered for stands in order):
        return (_command("findings-check"),)
    return tuple(steps)


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
