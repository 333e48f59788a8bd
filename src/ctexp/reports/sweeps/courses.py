"""The charts of how the trials went: over epochs, and over the hours."""

import math
from datetime import datetime

from ctexp.core.wording import many
from ctexp.reports.charts import lines, spans
from ctexp.reports.charts.axes import Axis
from ctexp.reports.charts.lines import Line
from ctexp.reports.charts.spans import Span
from ctexp.reports.charts.svg import Drawing
from ctexp.reports.wording import plain
from ctexp.sweeps.reading.opened import Opened
from ctexp.sweeps.trials import Row

_MOST = 60  # lines of one chart: more are a thicket
_LONG = 240  # minutes; what took longer is told in hours
_LETTERS = 44  # of an agent's name that have room


def epochs(opened: Opened) -> Drawing | None:
    """How trials went on over epochs, those that were pruned apart; None where none was."""
    told = [row for row in opened.rows if row.curve][-_MOST:]
    pruned = [row for row in told if row.state == "pruned"]
    others = [row for row in told if row.state != "pruned"]
    if not pruned:
        return None
    values = [value for row in told for _, value in row.curve if math.isfinite(value)] or [0.0]
    last = max(row.curve[-1][0] for row in told)
    room = 0.04 * (max(values) - min(values)) or 0.05
    metric = plain(opened.spec.metric.partition("/")[2])
    several = any(len(row.runs) > 1 for row in opened.rows)
    whose = ", of the first training of each" if several else ""
    return lines.chart(
        f"{many(len(pruned), 'trial')} pruned, {len(others)} not{whose}",
        f"{metric} over epochs; pruned trials end early.",
        Axis("epoch", 0, max(last, 1), whole=True),
        Axis(f"{metric}, validation", min(values) - room, max(values) + room),
        [
            *(_line(row, "kept", "not pruned" if row is others[0] else "") for row in others),
            *(_line(row, "s3", "pruned" if row is pruned[0] else "") for row in pruned),
        ],
    )


def _line(row: Row, kind: str, name: str) -> Line:
    xs, ys = [float(epoch) for epoch, _ in row.curve], [value for _, value in row.curve]
    ended = row.state == "pruned" and math.isfinite(ys[-1])
    return Line(name, xs, ys, kind, [(xs[-1], ys[-1])] if ended else [])


def hours(opened: Opened) -> Drawing | None:
    """Who worked on what and when; None where no trial has ended."""
    begun = [
        (row, datetime.fromisoformat(row.began), datetime.fromisoformat(row.ended))
        for row in opened.rows
        if row.began and row.ended
    ]
    if not begun:
        return None
    first, last = min(start for _, start, _ in begun), max(end for *_, end in begun)
    minutes = (last - first).total_seconds() / 60
    unit, seconds = ("hours", 3600) if minutes > _LONG else ("minutes", 60)
    by_agent: dict[str, list[Span]] = {}
    for row, start, end in begun:
        place = [(moment - first).total_seconds() / seconds for moment in (start, end)]
        by_agent.setdefault(row.agent or "no agent", []).append(Span(place[0], place[1], row.state))
    states = dict.fromkeys(row.state for row, *_ in begun)
    return spans.chart(
        "Time",
        f"{many(len(by_agent), 'agent')}, {many(len(begun), 'trial')} in {minutes:.0f} minutes.",
        Axis(f"{unit} since the first trial began", 0, max(60 * minutes / seconds, 0.1)),
        [(_short(agent), found) for agent, found in sorted(by_agent.items())],
        [(state, state) for state in states],
    )


def _short(name: str) -> str:
    return name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…"
