"""Who has a trial, and when they were last alive, by the clock of the database.

Asked of Optuna's own tables: its question after stale trials is not public, and reading a whole trial for one
note of it takes ten times as long.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy
from optuna.trial import TrialState
from sqlalchemy import Engine

from ctexp.sweeps.board.connection import whole

GRACE = 30.0
"""Seconds without any, after which an agent is taken for dead."""

_BEATS = sqlalchemy.table(
    "trial_heartbeats", sqlalchemy.column("trial_id"), sqlalchemy.column("heartbeat", sqlalchemy.DateTime)
)
"""What Optuna's `record_heartbeat` writes."""

_TRIALS = sqlalchemy.table("trials", sqlalchemy.column("trial_id"), sqlalchemy.column("state"))
_NOTES = sqlalchemy.table(
    "trial_user_attributes",
    sqlalchemy.column("trial_id"),
    sqlalchemy.column("key"),
    sqlalchemy.column("value_json"),
)


def last_beats(engine: Engine, trials: Sequence[int]) -> tuple[dict[int, datetime], datetime]:
    """When each trial's agent was last heard of, by the trial's id; and what time it is: UTC, naive.

    A trial that is running and has none was claimed by a process that died at that instant.
    """
    asked = sqlalchemy.select(_BEATS.c.trial_id, _BEATS.c.heartbeat).where(_BEATS.c.trial_id.in_(trials))
    with whole("the beats of trials"), engine.connect() as connection:
        now = connection.execute(sqlalchemy.select(sqlalchemy.func.now())).scalar_one().replace(tzinfo=None)
        return {row.trial_id: row.heartbeat for row in connection.execute(asked)}, now


def notes_while_running(engine: Engine, trial: int) -> dict[str, Any] | None:
    """The notes of a trial by its id; None where it is not running."""
    asked = (
        sqlalchemy.select(_TRIALS.c.state, _NOTES.c.key, _NOTES.c.value_json)
        .join_from(_TRIALS, _NOTES, _NOTES.c.trial_id == _TRIALS.c.trial_id)
        .where(_TRIALS.c.trial_id == trial)
    )
    with engine.connect() as connection:
        found = connection.execute(asked).all()
    if any(row.state != TrialState.RUNNING.name for row in found):
        return None
    with whole(f"notes of trial {trial}"):
        return {row.key: json.loads(row.value_json) for row in found}
