"""The charts of what was found, each with what it shows in words."""

import math

from ctexp.core.wording import many
from ctexp.reports.charts import bars, dots, parallel
from ctexp.reports.charts.axes import Axis
from ctexp.reports.charts.bars import Bar
from ctexp.reports.charts.dots import Dot
from ctexp.reports.charts.parallel import Course, Scale
from ctexp.reports.charts.svg import Drawing
from ctexp.reports.sweeps import scales
from ctexp.sweeps.reading.importance import Importance
from ctexp.sweeps.reading.opened import Opened, number
from ctexp.sweeps.space import Parameter

_TOP = 0.2  # of the finished trials: those whose lines stand out


def history(opened: Opened) -> Drawing | None:
    """The value of each trial in the order they were drawn, and the best so far; None before any."""
    if not opened.ranked:
        return None
    best = opened.ranked[0]
    marks = [
        Dot(row.number, number(row.value), "best" if row is best else "finished", row.error)
        for row in opened.ranked
    ]
    ended = [
        Dot(row.number, row.curve[-1][1], "pruned") for row in opened.rows if _pruned(row.state, row.curve)
    ]
    last = max(row.number for row in opened.rows)
    legend = [("finished", "a finished trial"), ("best", f"the best, trial {best.number}")]
    if ended:
        legend.append(("pruned", "pruned: its last value, at the edge where that lies beyond"))
    spread = "; upright lines are standard errors" if any(dot.error for dot in marks) else ""
    said = f"{many(len(marks), 'finished trial')}; the best is trial {best.number} with {best.value:.4f}"
    return dots.chart(
        "Every trial",
        f"{said}{spread}.",
        Axis("trial", 0, max(last, 1), whole=True),
        scales.objective(opened),
        [*marks, *ended],
        steps=_best_so_far(opened, last),
        legend=[*legend, ("line", "the best so far")],
    )


def _pruned(state: str, curve: tuple[tuple[int, float], ...]) -> bool:
    return state == "pruned" and bool(curve) and math.isfinite(curve[-1][1])


def _best_so_far(opened: Opened, last: int) -> list[tuple[float, float]]:
    """The corners of a line that steps wherever a trial was better than all before it."""
    steps: list[tuple[float, float]] = []
    for row in sorted(opened.ranked, key=lambda one: one.number):
        value = number(row.value)
        if steps and not (value > steps[-1][1] if opened.spec.goal == "maximize" else value < steps[-1][1]):
            continue
        if steps:
            steps.append((row.number, steps[-1][1]))
        steps.append((row.number, value))
    return [*steps, (last, steps[-1][1])]


def importances(found: Importance) -> Drawing | None:
    """The shares of the parameters; None where they cannot be told."""
    if not found.shares:
        return None
    return bars.chart(
        "Importance",
        "share of what parameters explain alone; line: range over forests",
        [
            Bar(its.key, its.value, its.low, its.high, f"{its.value:.0%} ({its.low:.0%} to {its.high:.0%})")
            for its in found.shares
        ],
    )


def slices(opened: Opened) -> list[Drawing]:
    """The value of each finished trial over each parameter that was varied."""
    return [_slice(opened, one) for one in _varied(opened)] if opened.ranked else []


def _slice(opened: Opened, one: Parameter) -> Drawing:
    rows = [row for row in opened.ranked if one.key in row.values]
    best, value, scale = opened.ranked[0], scales.objective(opened), scales.of_parameter(one, rows)
    said = many(len(rows), "finished trial")
    if one.key in best.values:
        said += f"; the best has {scales.text(best.values[one.key])}"
    marks = [
        (scales.placed(scale, row) or 0.0, number(row.value), "best" if row is best else "finished")
        for row in rows
    ]
    if not scale.choices:
        return dots.chart(one.key, f"{said}.", scale.axis, value, [Dot(*mark) for mark in marks])
    choices = []
    for place, name in enumerate(scale.choices):
        its = [Dot(worth, 0.0, kind) for at, worth, kind in marks if at == place]
        choices.append((f"{name} ({len(its)})", its))
    return dots.rows(one.key, f"{said}.", value, choices)


def coordinates(opened: Opened) -> Drawing | None:
    """Every finished trial as a line through its parameters to its value; the best fifth stands out."""
    varied = _varied(opened)
    if len(opened.ranked) < 2 or not varied:
        return None
    found = [scales.of_parameter(one, opened.ranked) for one in varied]
    top = max(1, round(_TOP * len(opened.ranked)))
    courses = []
    for place, row in reversed(list(enumerate(opened.ranked))):
        kind = "first" if place == 0 else "top" if place < top else "rest"
        courses.append(Course([*(scales.placed(scale, row) for scale in found), row.value], kind))
    return parallel.chart(
        "Parallel coordinates",
        f"A line for each of {len(courses)} finished trials; the {top} best stand out, the best most of all.",
        [*found, Scale(scales.measured(opened), scales.objective(opened))],
        courses,
    )


def _varied(opened: Opened) -> list[Parameter]:
    return [one for one in opened.spec.space.parameters if one.key in opened.chosen]
