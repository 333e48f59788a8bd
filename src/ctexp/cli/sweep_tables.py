"""What `sweep` tells: what is searched, how many trials, what they cost, and how to work on it."""

from dataclasses import asdict
from typing import Any

from ctexp.cli import sweep_costs
from ctexp.cli.sweep_checks import Asked
from ctexp.cli.sweep_costs import Cost
from ctexp.cli.sweep_rows import seconds
from ctexp.core import clock, screen
from ctexp.record.sweep import SweepDir
from ctexp.sweeps.file.grid import size
from ctexp.sweeps.file.spec import Early, Spec
from ctexp.sweeps.file.words import written
from ctexp.sweeps.space import Bell, Choice, Dimension
from ctexp.sweeps.trials import Row

_WIDTH = 13


def document(asked: Asked, place: SweepDir | None, cost: Cost, pilot: Row | None) -> dict[str, Any]:
    """The same for programs; `id` and `path` are null where nothing was made."""
    spec = asked.spec
    return {
        "id": None if place is None else place.id,
        "path": None if place is None else str(place.path),
        "name": spec.name,
        "method": spec.method,
        "metric": spec.metric,
        "goal": spec.goal,
        "backend": spec.backend,
        "parameters": {one.key: told(one.dimension) for one in spec.space.parameters},
        "trials": asked.count,
        "members": [member.label for member in asked.members],
        "cost": asdict(cost),
        "budget_seconds": asked.budget,
        "pilot": None if pilot is None else _of(pilot),
        "warnings": [*spec.ignored, *asked.notes],
        "agent": None if place is None else agent_command(place),
    }


def show(asked: Asked, place: SweepDir | None, cost: Cost, pilot: Row | None) -> None:
    """Print it."""
    spec = asked.spec
    lines = {
        "sweep": "not made: --dry-run" if place is None else place.id,
        "search": _search(spec),
        "objective": _objective(spec, len(asked.members)),
        "trials": _trials(asked),
        "cost": sweep_costs.told(cost, asked.budget),
    }
    if spec.early is not None:
        lines["ended early"] = _early(spec.early)
    if pilot is not None:
        lines["pilot"] = _pilot(spec, pilot)
    for name, text in lines.items():
        print(f"{name:<{_WIDTH}}{text}")
    for one in spec.space.parameters:
        when = f"  where {one.when.text}" if one.when else ""
        print(f"  {one.key} = {told(one.dimension)}{when}")
    for constraint in spec.space.constraints:
        print(f"  only where {constraint.text}")
    if place is not None:
        screen.note(f"start as many agents as you like: {agent_command(place)}")
        screen.note(f"see how far it is: scripts/inv sweep-status {place.id}")


def agent_command(place: SweepDir) -> str:
    """What works on a sweep."""
    return f"scripts/inv sweep-agent --sweep-id={place.id}"


def told(dimension: Dimension) -> str:
    """What a parameter can be: `8, 16, 32`, `1e-05 to 0.01 (log)`."""
    if isinstance(dimension, Choice):
        said = [written(value) for value in dimension.values]
        if dimension.weights:
            said = [f"{value} ({weight:.0%})" for value, weight in zip(said, dimension.weights, strict=True)]
        return ", ".join(said)
    step = "" if dimension.step in (None, 1) else f" in steps of {dimension.step:g}"
    if isinstance(dimension, Bell):
        return f"normal, mean {dimension.mean:g}, sd {dimension.sd:g}{' (of its log)' * dimension.log}{step}"
    whole = " (whole)" if dimension.integer and not step else ""
    return f"{dimension.low:g} to {dimension.high:g}{step}{' (log)' * dimension.log}{whole}"


def _search(spec: Spec) -> str:
    over = ", ".join(one.key for one in spec.space.parameters if _varies(one.dimension))
    how = spec.method if spec.method == "grid" else f"{spec.method} ({spec.sampler})"
    where = "" if spec.backend == "optuna" else f", drawn by {spec.backend}"
    return f"{how}{where} over {over or 'nothing: every value is given'}"


def _varies(dimension: Dimension) -> bool:
    return not isinstance(dimension, Choice) or len(dimension.values) > 1


def _early(early: Early) -> str:
    """Who goes on, and what that means for the cost."""
    first, factor = early.min_epochs, early.factor
    looks = f"epoch {first}, again at {first * factor} and so on"
    return f"at {looks}, only the best one in {factor} goes on ({early.kind}); the cost counts all in full"


def _objective(spec: Spec, trainings: int) -> str:
    """`maximize val/macro_f1, the mean of 3 trainings less its standard error`."""
    if trainings == 1:
        return f"{spec.goal} {spec.metric} of one training: differences within its noise are chance"
    sign = "less" if spec.goal == "maximize" else "plus"
    error = f" {sign} its standard error" if spec.objective == "mean_minus_se" else ""
    return f"{spec.goal} {spec.metric}, the mean of {trainings} trainings{error}"


def _trials(asked: Asked) -> str:
    each = f"{len(asked.members)} trainings each: " if len(asked.members) > 1 else "one training each: "
    each += ", ".join(member.label for member in asked.members[:6]) + ", …" * (len(asked.members) > 6)
    if asked.count is None:
        return f"no end but {'the budget' if asked.budget else 'yours'}; {each}"
    whole = size(asked.spec.space)
    of = f" of {whole} that there are" if whole is not None and whole > asked.count else ""
    return f"{asked.count}{of}; {each}"


def _pilot(spec: Spec, row: Row) -> str:
    took = "" if row.seconds is None else f" in {clock.duration(row.seconds)}"
    value = "" if row.mean is None else f", {spec.metric} {row.mean:.4f}"
    return f"trial {row.number} {row.state}{took}{value}{f': {row.problem}' if row.problem else ''}"


def _of(row: Row) -> dict[str, Any]:
    return {
        "number": row.number,
        "state": row.state,
        "values": dict(row.values),
        "mean": row.mean,
        "seconds": seconds(row.seconds),
        "runs": dict(row.runs),
        "problem": row.problem,
    }
