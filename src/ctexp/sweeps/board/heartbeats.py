"""When the agent of a trial was last alive, by the clock of the database."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy
from sqlalchemy import Engine

INTERVAL = 5.0
"""Seconds between two beats."""

GRACE = 30.0
"""Seconds without any, after which an agent is taken for dead."""

_BEATS = sqlalchemy.table(
    "trial_heartbeats", sqlalchemy.column("trial_id"), sqlalchemy.column("heartbeat", sqlalchemy.DateTime)
)
"""Optuna's table, which its `record_heartbeat` writes; its own question after stale trials is not public."""


def last_beats(engine: Engine, trials: Sequence[int]) -> tuple[dict[int, datetime], datetime]:
    """When each trial's agent was last heard of, by the trial's id; and what time it is: UTC, naive.

    A trial that is running and has none was claimed by a process that died at that instant.
    """
    asked = sqlalchemy.select(_BEATS.c.trial_id, _BEATS.c.heartbeat).where(_BEATS.c.trial_id.in_(trials))
    with engine.connect() as connection:
        now = connection.execute(sqlalchemy.select(sqlalchemy.func.now())).scalar_one().replace(tzinfo=None)
        return {row.trial_id: row.heartbeat for row in connection.execute(asked)}, now
