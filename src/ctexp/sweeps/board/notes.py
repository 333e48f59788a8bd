"""What the board keeps of a trial beside what Optuna does: JSON, in the trial's user attributes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from optuna.trial import FrozenTrial, TrialState

from ctexp.core import clock
from ctexp.sweeps.space import Values
from ctexp.sweeps.trials import Row, Told
from ctexp.sweeps.trials import TrialState as State

CHOSEN, ATTEMPT, RUNS, SPENT, TOLD, REUSED = "chosen", "attempt", "runs", "spent", "told", "reused"

ENDS: Mapping[Literal["finished", "pruned", "failed"], TrialState] = {
    "finished": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}
"""A trial's end in Optuna's words."""

_TOLD_STATES = {state: said for said, state in ENDS.items()}

_STATES: Mapping[TrialState, State] = {
    TrialState.WAITING: "waiting",
    TrialState.RUNNING: "running",
    **_TOLD_STATES,
}


@dataclass(frozen=True)
class Chosen:
    """What a trial is.

    Attributes:
        values: as they were before any sampler's encoding.
        identity: of the configuration they lead to; empty where it is not known.
        place: of the sequence of draws, the first after its own.
    """

    values: Values
    identity: str = ""
    place: int = 0


@dataclass(frozen=True)
class Attempt:
    """Who is, or was last, at work on a trial.

    Attributes:
        number: counted from 1; 0 where nobody was yet.
        lost: how many earlier attempts ended without a word.
        began: the first of them, UTC.
    """

    number: int = 0
    agent: str = ""
    lost: int = 0
    began: str | None = None


def chosen_of(trial: FrozenTrial) -> Chosen:
    """What a trial is."""
    return Chosen(**trial.user_attrs[CHOSEN])


def attempt_of(notes: Mapping[str, Any]) -> Attempt:
    """The attempt that a trial is at, by its notes."""
    return Attempt(**notes.get(ATTEMPT, {}))


def runs_of(notes: Mapping[str, Any]) -> dict[str, str]:
    """The runs of a trial that were begun, by the label of the member."""
    return dict(notes.get(RUNS, {}))


def check(trial: FrozenTrial) -> None:
    """Look at what was noted of a trial.

    Raises:
        ValueError: a part of it can have been noted by no agent.
        TypeError: likewise.
        LookupError: likewise.
    """
    row = row_of(trial)
    if not isinstance(row.values, dict) or not isinstance(row.attempts, int):
        raise ValueError(f"trial {trial.number}: no values, or no number of its attempt")
    if not all(isinstance(run, str) and "/" not in run for run in row.runs.values()):
        raise ValueError(f"trial {trial.number}: no names of runs: {row.runs}")
    if trial.state is TrialState.COMPLETE and trial.values is None:
        raise ValueError(f"trial {trial.number}: finished, and without a value")
    if trial.state in _TOLD_STATES:
        told_of(trial)


def is_reused(trial: FrozenTrial) -> bool:
    """Whether a trial has the value of another one."""
    return REUSED in trial.user_attrs


def seconds_of(trial: FrozenTrial) -> float:
    """How long its trainings took together, as far as was told."""
    return 0.0 if is_reused(trial) else _seconds_of(trial.user_attrs) or 0.0


def _seconds_of(notes: Mapping[str, Any]) -> float | None:
    """What was told at its end, or when it was given back; whoever died over it may have told less."""
    known = [note for note in (notes.get(SPENT), notes.get(TOLD, {}).get("seconds")) if note is not None]
    return max(known, default=None)


def told_note(told: Told, ended: str) -> dict[str, Any]:
    """What is kept of a trial's end."""
    note = asdict(told)
    del note["state"]
    return {**note, "ended": ended}


def told_of(trial: FrozenTrial) -> Told:
    """What was told at a trial's end."""
    note = {key: value for key, value in trial.user_attrs[TOLD].items() if key != "ended"}
    return Told(_TOLD_STATES[trial.state], **note)


def row_of(trial: FrozenTrial, beat: datetime | None = None) -> Row:
    """A trial as tables and pages show it.

    Args:
        trial: as it is now.
        beat: the last one of its agent, UTC, naive.
    """
    attempt, told = attempt_of(trial.user_attrs), trial.user_attrs.get(TOLD, {})
    reused = trial.user_attrs.get(REUSED)
    return Row(
        number=trial.number,
        state="reused" if reused is not None else _STATES[trial.state],
        values=chosen_of(trial).values,
        attempts=attempt.number,
        value=told.get("value"),
        mean=told.get("mean"),
        error=told.get("error"),
        runs=runs_of(trial.user_attrs),
        agent=attempt.agent,
        problem=told.get("problem", ""),
        reused=reused,
        curve=tuple(sorted(trial.intermediate_values.items())),
        seconds=_seconds_of(trial.user_attrs),
        began=attempt.began,
        ended=told.get("ended"),
        seen=None if beat is None else clock.iso(beat.replace(tzinfo=UTC)),
    )
