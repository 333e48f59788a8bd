"""What is asked of the index, and the SQL that asks it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ctexp.record.index.schema import COLUMNS

Value = str | int | float | None

NEWEST = "newest"
"""The order of runs that were started later first, by their ids."""


@dataclass(frozen=True)
class Query:
    """Which runs, in which order; all that is asked has to fit.

    Attributes:
        where: what fields of `RunSummary` are, for example `{"name": "resnet50", "parent": None}`.
        name_part: a part of the run's name.
        tags: all of these.
        states: any of these; all where none is named.
        metric: one that the run has a value of.
        since: started then or later, as `clock.iso` writes it; by its id where its record does not say.
        until: started before.
        sort: `newest`, a field of `RunSummary`, or a metric such as `val/macro_f1`. Runs that have no value
            of it come last, either way; equal ones come newest first.
        descending: the greatest first.
        limit: how many at most; None for all.
    """

    where: Mapping[str, Value] = field(default_factory=dict)
    name_part: str | None = None
    tags: Sequence[str] = ()
    states: Sequence[str] = ()
    metric: str | None = None
    since: str | None = None
    until: str | None = None
    sort: str = NEWEST
    descending: bool = False
    limit: int | None = None


@dataclass(frozen=True)
class Condition:
    """What stands after `WHERE`, and the values of its question marks."""

    sql: str
    values: tuple[Value, ...]

    def __and__(self, other: "Condition") -> "Condition":
        return Condition(f"{self.sql} AND {other.sql}", self.values + other.values)


HAS = "EXISTS (SELECT 1 FROM metrics WHERE metrics.run = runs.run AND metric = ? AND value IS NOT NULL)"
LAST_FIRST = "runs.stamp DESC, runs.id DESC"


def condition(query: Query) -> Condition:
    """Which runs are asked for.

    Raises:
        KeyError: a field that runs cannot be asked for.
    """
    asked = Condition("1", ())
    for column, value in query.where.items():
        if column not in COLUMNS:
            raise KeyError(column)
        asked &= Condition(f'runs."{column}" IS ?', (value,))
    if query.name_part:
        asked &= Condition("instr(name, ?)", (query.name_part,))
    if query.states:
        asked &= Condition(f"state IN ({', '.join('?' * len(query.states))})", tuple(query.states))
    for tag in query.tags:
        asked &= Condition("EXISTS (SELECT 1 FROM tags WHERE tags.run = runs.run AND tag = ?)", (tag,))
    if query.metric is not None:
        asked &= Condition(HAS, (query.metric,))
    if query.since is not None:
        stamp = int(re.sub(r"\D", "", query.since)[:14])
        asked &= Condition("(started >= ? OR started IS NULL AND runs.stamp >= ?)", (query.since, stamp))
    if query.until is not None:
        asked &= Condition("started < ?", (query.until,))
    return asked
