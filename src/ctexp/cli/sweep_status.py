"""`sweep-status`: a sweep's trials and agents, the best so far, and how long the rest may take."""

import shlex
from dataclasses import asdict

from rich.table import Table

from ctexp.cli.sentences import wrapped
from ctexp.cli.sweep_rows import of_row, seconds, table
from ctexp.cli.tables import plain
from ctexp.config.compose import resolve_paths
from ctexp.core import clock, screen
from ctexp.core.paths import project_root
from ctexp.core.wording import many
from ctexp.record.manifest import command_line
from ctexp.sweeps.reading import opened
from ctexp.sweeps.reading.opened import Opened
from ctexp.sweeps.reading.status import Status, status
from ctexp.sweeps.reading.telling import measured

_NAMED = 5  # failed trials


def sweep_status(sweep: str, json: bool) -> None:
    """Print how far it has come."""
    _, runs = resolve_paths(project_root())
    its = opened.read(runs, sweep)
    found = status(its)
    if json:
        screen.emit_json(_document(its, found))
    else:
        _tell(its, found)


def _tell(its: Opened, found: Status) -> None:
    spec = its.spec
    how = spec.method if spec.method == "grid" else f"{spec.method} ({spec.sampler})"
    print(f"{its.sweep.id}: {how}, {spec.metric} {spec.goal}d, {its.sweep.backend}")
    print(f"trials: {', '.join(f'{count} {state}' for state, count in found.counts.items()) or 'none yet'}")
    print(f"left: {_left(found)}")
    print(f"spent: {_spent(found)}")
    if its.ranked:
        best = its.ranked[0]
        value = measured(best.mean, best.error, len(best.runs))
        print(wrapped(f"best so far: trial {best.number}, {value}"))
        print(wrapped(shlex.join(its.words(best)) or "nothing sets it apart", "  "))
    print()
    if lines := table(its):
        print("\n".join([*lines, ""]))
    if found.agents:
        screen.print_table(_agents(found))
    elif found.over:
        print(f"over: {found.over}")
        print(f"next: {command_line('sweep-best', [its.sweep.id])}")
    else:
        print("nobody is at work on it")
        print(f"next: {command_line('sweep-agent', ['--sweep-id', its.sweep.id])}")
    failed = [row for row in its.rows if row.state == "failed"]
    for row in failed[:_NAMED]:
        screen.warn(f"trial {row.number} failed: {row.problem or 'no reason was noted'}")
    if len(failed) > _NAMED:
        screen.warn(f"{many(len(failed) - _NAMED, 'more trial')} failed; --json has all")


def _left(found: Status) -> str:
    if found.over:
        return "nothing"
    if found.left is None:
        trials = "no end but the budget's" if found.budget is not None else "no end but yours"
    else:
        trials = f"{found.left} of {found.total} trials"
    if found.remaining is None:
        return trials
    agents = sum(not agent.lost for agent in found.agents)
    return (
        f"{trials}, about {clock.duration(found.remaining)} with {many(agents, 'agent')} at the pace so far"
    )


def _spent(found: Status) -> str:
    said = clock.duration(found.spent)
    if found.budget is not None:
        said += f" of {clock.duration(found.budget)}"
    return said + (f", a trial {clock.duration(found.usual)} (median)" if found.usual is not None else "")


def _agents(found: Status) -> Table:
    table = plain("agent", "on", "trial:", "last sign of life")
    for agent in found.agents:
        seen = "none yet" if agent.silent is None else f"{clock.duration(agent.silent)} ago"
        table.add_row(agent.name, agent.host, str(agent.trial), f"{seen}, silent" if agent.lost else seen)
    return table


def _document(its: Opened, found: Status) -> dict[str, object]:
    best = its.ranked[0] if its.ranked else None
    return {
        "sweep": its.sweep.id,
        "metric": its.spec.metric,
        "goal": its.spec.goal,
        "counts": dict(found.counts),
        "total": found.total,
        "left": found.left,
        "seconds": seconds(found.spent),
        "budget_seconds": found.budget,
        "trial_seconds": seconds(found.usual),
        "remaining_seconds": seconds(found.remaining),
        "over": found.over or None,
        "agents": [
            asdict(agent)
            | {"silent": seconds(agent.silent), "silent_seconds": seconds(agent.silent), "lost": agent.lost}
            for agent in found.agents
        ],
        "best": best
        and {
            "number": best.number,
            "value": best.value,
            "mean": best.mean,
            "standard_error": best.error,
            "overrides": list(its.words(best)),
            "runs": list(best.runs.values()),
        },
        "trials": [of_row(its, row) for row in its.rows],
    }
