"""The charts of a sweep, each with what it shows in words."""

from collections.abc import Sequence
from datetime import datetime

from ctexp.reports.charts import bars, dots, lines, parallel, spans
from ctexp.reports.charts.axes import Axis
from ctexp.reports.charts.bars import Bar
from ctexp.reports.charts.dots import Dot
from ctexp.reports.charts.lines import Line
from ctexp.reports.charts.parallel import Course, Scale
from ctexp.reports.charts.spans import Span
from ctexp.reports.charts.svg import Drawing
from ctexp.reports.sweeps import scales
from ctexp.reports.wording import amount, plain
from ctexp.sweeps.reading.importance import Importance
from ctexp.sweeps.reading.opened import Opened
from ctexp.sweeps.space import Choice, Parameter
from ctexp.sweeps.trials import Row

_TOP = 0.2  # of the finished trials: those whose lines stand out
_CURVES = 60  # lines of one chart: more are a thicket


def history(opened: Opened) -> Drawing | None:
    """The value of each trial in the order they were drawn, and the best so far."""
    if not opened.ranked:
        return None
    best = opened.ranked[0]
    higher = opened.spec.goal == "maximize"
    marks, steps, so_far = [], [], None
    for row in opened.rows:
        if row.state == "finished" and row.value is not None:
            kind = "best" if row is best else "finished"
            marks.append(Dot(row.number, row.value, kind, row.error))
            better = so_far is None or (row.value > so_far if higher else row.value < so_far)
            if better:
                steps += [] if so_far is None else [(float(row.number), so_far)]
                so_far = row.value
                steps.append((float(row.number), so_far))
        elif row.state == "pruned" and row.curve:
            marks.append(Dot(row.number, row.curve[-1][1], "pruned"))
    last = max(row.number for row in opened.rows)
    if so_far is not None:
        steps.append((float(last), so_far))
    legend = [("finished", "a finished trial"), ("best", f"the best, trial {best.number}")]
    legend += [("pruned", "pruned: its last value, at the edge where that lies beyond")] if any(dot.kind == "pruned" for dot in marks) else []
    spread = "; the upright lines are standard errors" if any(dot.error for dot in marks) else ""
    return dots.chart(
        "Every trial",
        f"{amount(len(opened.ranked), 'finished trial')}; the best is trial {best.number} with {best.value:.4f}{spread}.",
        Axis("trial", 0, max(last, 1), whole=True),
        scales.objective(opened),
        marks,
        steps=steps,
        legend=[*legend, ("line", "the best so far")],
    )


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
    varied = [one for one in opened.spec.space.parameters if one.key in opened.chosen]
    return [_slice(opened, one) for one in varied] if opened.ranked else []


def _slice(opened: Opened, one: Parameter) -> Drawing:
    rows = [row for row in opened.ranked if one.key in row.values]
    best, value, axis = opened.ranked[0], scales.objective(opened), scales.numbers(one, rows)
    count = amount(len(rows), "finished trial")
    at_best = f"; the best has {scales.text(best.values[one.key])}" if one.key in best.values else ""
    if axis is not None:
        marks = [Dot(_number(row, one.key), row.value or 0.0, _kind(row, best)) for row in rows]
        return dots.chart(one.key, f"{count}{at_best}.", axis, value, marks)
    assert isinstance(one.dimension, Choice)
    choices = [
        (
            f"{scales.text(choice)} ({sum(row.values[one.key] == choice for row in rows)})",
            [Dot(row.value or 0.0, 0.0, _kind(row, best)) for row in rows if row.values[one.key] == choice],
        )
        for choice in one.dimension.values
    ]
    return dots.rows(one.key, f"{count} by choice{at_best}.", value, choices)


def coordinates(opened: Opened) -> Drawing | None:
    """Every finished trial as a line through its parameters to its value; the best fifth stands out."""
    varied = [one for one in opened.spec.space.parameters if one.key in opened.chosen]
    if len(opened.ranked) < 2 or not varied:
        return None
    found = [_scale(one, opened.ranked) for one in varied]
    value = Scale(scales.measured(opened), scales.objective(opened))
    top = max(1, round(_TOP * len(opened.ranked)))
    courses = []
    for place, row in reversed(list(enumerate(opened.ranked))):
        kind = "first" if place == 0 else "top" if place < top else "rest"
        courses.append(Course([*(_placed(one, row) for one in varied), row.value], kind))
    return parallel.chart(
        "Parallel coordinates",
        f"A line for each of {len(opened.ranked)} finished trials; the {top} best stand out, the best of all most.",
        [*found, value],
        courses,
    )


def _scale(one: Parameter, rows: Sequence[Row]) -> Scale:
    axis = scales.numbers(one, rows)
    if axis is not None:
        return Scale(one.key, axis)
    assert isinstance(one.dimension, Choice)
    names = tuple(scales.text(value) for value in one.dimension.values)
    return Scale(one.key, Axis("", 0, max(1, len(names) - 1)), names)


def _placed(one: Parameter, row: Row) -> float | None:
    if one.key not in row.values:
        return None
    its = one.dimension
    if scales.numbers(one, [row]) is None and isinstance(its, Choice):
        return float(its.values.index(row.values[one.key]))
    return _number(row, one.key)


def courses(opened: Opened) -> Drawing | None:
    """How trials went on over epochs, those that were pruned apart; None where nothing was told of epochs."""
    told = [row for row in opened.rows if row.curve]
    if not any(row.state == "pruned" for row in told):
        return None
    shown = told[-_CURVES:]
    finished = [row for row in shown if row.state != "pruned"]
    pruned = [row for row in shown if row.state == "pruned"]
    values = [value for row in shown for _, value in row.curve]
    last = max(row.curve[-1][0] for row in shown)
    room = 0.04 * (max(values) - min(values)) or 0.05
    drawn = [_course(row, "kept", "trained to the end" if row is finished[0] else "") for row in finished]
    drawn += [_course(row, "s3", "pruned" if row is pruned[0] else "") for row in pruned]
    metric = plain(opened.spec.metric.partition("/")[2])
    return lines.chart(
        f"{amount(len(pruned), 'trial')} pruned, {len(finished)} not",
        f"{metric} over epochs; pruned trials end early.",
        Axis("epoch", 0, max(last, 1), whole=True),
        Axis(f"{metric}, validation", min(values) - room, max(values) + room),
        drawn,
    )


def _course(row: Row, kind: str, name: str) -> Line:
    epochs, values = zip(*row.curve, strict=True)
    marked = [row.curve[-1]] if kind == "s3" else []
    return Line(name, epochs, values, kind, [(float(epoch), value) for epoch, value in marked])


def time(opened: Opened) -> Drawing | None:
    """Who worked on what and when; None where no trial has begun."""
    begun = [row for row in opened.rows if row.began and row.ended]
    if not begun:
        return None
    starts = {row.number: datetime.fromisoformat(row.began or "") for row in begun}
    first = min(starts.values())
    minutes = {
        row.number: tuple(
            (moment - first).total_seconds() / 60
            for moment in (starts[row.number], datetime.fromisoformat(row.ended or ""))
        )
        for row in begun
    }
    agents = sorted({row.agent or "?" for row in begun})
    rows = [
        (
            _short(agent),
            [Span(*minutes[row.number], row.state) for row in begun if (row.agent or "?") == agent],
        )
        for agent in agents
    ]
    last = max(end for _, end in minutes.values())
    unit, scale = ("hours", 60.0) if last > 240 else ("minutes", 1.0)
    rows = [
        (name, [Span(one.begin / scale, one.end / scale, one.kind) for one in its]) for name, its in rows
    ]
    states = dict.fromkeys(row.state for row in begun)
    return spans.chart(
        "Time",
        f"{amount(len(agents), 'agent')}, {len(begun)} trials in {last:.0f} minutes.",
        Axis(f"{unit} since the first trial began", 0, max(last / scale, 0.1)),
        rows,
        [(state, state) for state in states],
    )


def _short(name: str) -> str:
    return name if len(name) <= 44 else f"{name[:43]}…"


def _kind(row: Row, best: Row) -> str:
    return "best" if row is best else "finished"


def _number(row: Row, key: str) -> float:
    value = row.values[key]
    assert isinstance(value, int | float)  # as its dimension is
    return float(value)
