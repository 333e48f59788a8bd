"""What an attempt is, decided before it begins: anew or going on, with which words, in what time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ctexp.core import clock
from ctexp.core.errors import UsageError
from ctexp.planning.packing.pack import Length
from ctexp.planning.plan.jobs import Job, key_of, last_words
from ctexp.queue import left
from ctexp.queue.deciding.renewed import lengths
from ctexp.queue.journal import Event, uptime
from ctexp.queue.orders import Orders
from ctexp.queue.state import Attempt, Night

_MINUTES = "trainer.max_minutes"
_BUDGET = "--budget"

_BESIDE_SHARE, _BESIDE_SECONDS = 0.1, 30.0
"""Of a shortened job's time, for what comes before and after its training; and at least so many seconds."""

_LEAST_MINUTES = 0.5


@dataclass(frozen=True)
class Beginning:
    """One attempt at a job.

    Attributes:
        number: 1 for the first.
        argv: of the program.
        run: what it goes on with; None where it begins anew.
        limit_seconds: what is left of the job's own limit; None where it has none.
        deviations: from the plan, one line each.
        shortened: it trains for less time than the configuration says.
    """

    job: Job
    number: int
    fallback: str | None
    argv: tuple[str, ...]
    run: str | None = None
    limit_seconds: float | None = None
    deviations: tuple[str, ...] = ()
    shortened: bool = False

    @property
    def mode(self) -> Literal["new", "resume"]:
        """Whether it goes on with a run."""
        return "new" if self.run is None else "resume"

    @property
    def name(self) -> str:
        """Of its log and its sign of life."""
        return f"{self.job.id}.{self.number}"


def beginning(
    orders: Orders, night: Night, key: str, words: Sequence[str], remaining: float | None
) -> Beginning:
    """The next attempt at a job.

    Args:
        orders: of the queue.
        night: so far.
        key: `JOB`, or `JOB:KIND` for its fallback.
        words: of the job's command, as the script has them; of a key said twice the last word holds.
        remaining: seconds, see `seconds_left`.

    Raises:
        UsageError: there is no such job, or these are not its words.
    """
    job_id, _, kind = key.partition(":")
    try:
        job = orders.job(job_id)
    except KeyError:
        raise UsageError(f"{key}: no job of queue {orders.queue}", "render the script again") from None
    fallback = kind or None
    if (fallback and fallback not in job.fallback) or list(words[1:2]) != [job.verb]:
        raise UsageError(f"{key}: not its command: {' '.join(words)}", "render the script again")
    attempts = night.jobs[job.id].attempts
    fresh = Beginning(
        job,
        number=1 + max((attempt.number for attempt in attempts), default=0),
        fallback=fallback,
        argv=(*words[:2], *last_words(words[2:])),
        limit_seconds=job.limit_seconds,
        deviations=_of_fallback(job, fallback),
    )
    last = attempts[-1] if attempts else None
    if last is None or last.fallback != fallback or not _can_go_on(Path(orders.runs), job, last):
        return _shortened(fresh, lengths(orders, night)[job.id], remaining)
    return replace(_going_on(fresh, attempts, last.run or ""), shortened=night.jobs[job.id].shortened)


def seconds_left(orders: Orders, begin: Event) -> float | None:
    """How long jobs may still run in this start of the queue; None for as long as they like.

    What is kept of the window comes after that: a job that still runs has its grace, and then the night is
    analysed.
    """
    closes = begin.get("closes_uptime")
    return None if closes is None else float(closes) - uptime() - orders.kept_seconds


def _can_go_on(runs: Path, job: Job, last: Attempt) -> bool:
    if last.run is None or not left.resumable(runs, job, last.run):
        return False
    return not last.refused  # damaged checkpoints, other data: only beginning anew is left


def _going_on(fresh: Beginning, attempts: Sequence[Attempt], run: str) -> Beginning:
    """In the same run, whose configuration is its own; the limit is one for all its attempts."""
    limit = fresh.limit_seconds
    if limit is not None:
        spent = sum((one.end or {}).get("seconds") or 0.0 for one in attempts if one.run == run)
        limit = max(limit - spent, 1.0)
    return replace(
        fresh, argv=(*fresh.argv[:2], "--resume", run), run=run, limit_seconds=limit, deviations=()
    )


def _of_fallback(job: Job, fallback: str | None) -> tuple[str, ...]:
    """What a fallback changes, in the words of the plan."""
    if fallback is None:
        return ()
    planned = {key_of(word): word.partition("=")[2] for word in job.overrides()}
    lines = []
    for word in job.fallback[fallback]:
        before = planned.get(key_of(word))
        lines.append(f"{fallback}: {word}" + (f" instead of {before}" if before is not None else ""))
    return tuple(lines)


def _shortened(fresh: Beginning, length: Length | None, remaining: float | None) -> Beginning:
    """With less training, where the plan allows it and the window asks for it.

    How many trainings a cross-validation is made of is not known here: it is stopped at the window's end and
    gone on with in another night. A sweep gets a smaller budget.
    """
    job = fresh.job
    if remaining is None or length is None or length.p90 <= remaining:
        return fresh
    if not job.shorten or job.verb == "cross-validate":
        return fresh
    beside = max(remaining * _BESIDE_SHARE, _BESIDE_SECONDS)
    minutes = max(math.floor((remaining - beside) / 6) / 10, _LEAST_MINUTES)  # tenths
    asked = next((word for word in fresh.argv[2:] if key_of(word) == _MINUTES), "")
    before = job.budget_seconds / 60 if job.budget_seconds else _number(asked.partition("=")[2])
    if before <= minutes:
        return fresh
    word = f"{_BUDGET}={minutes:g}m" if job.is_sweep else f"{_MINUTES}={minutes:g}"
    why = f"needs {clock.duration(length.p90)} (p90), {clock.duration(remaining)} are left"
    return replace(
        fresh,
        argv=(*fresh.argv[:2], *last_words([*fresh.argv[2:], word])),
        deviations=(*fresh.deviations, f"window: {word} ({why})"),
        shortened=True,
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("inf")
