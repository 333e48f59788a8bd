"""`run KEY -- PROGRAM …`: one attempt at a job: begun, watched, ended, written down."""

import contextlib
import os
import signal
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

from ctexp.core import clock, heartbeat, locks, screen
from ctexp.core.errors import Stopped, StorageError, TimeBudgetUsed, UsageError
from ctexp.core.parent_death import die_with_parent
from ctexp.queue import left, warm
from ctexp.queue.attempting import child
from ctexp.queue.attempting.beginning import Beginning, beginning, seconds_left
from ctexp.queue.attempting.child import Outcome, Signals
from ctexp.queue.attempting.cooldown import cool_down
from ctexp.queue.attempting.output import Output
from ctexp.queue.attempting.tending import Cancelled, Tending
from ctexp.queue.deciding.room import latest_begin
from ctexp.queue.ending import Ending, Stop, ending, told
from ctexp.queue.folder import QueueDir
from ctexp.queue.journal import Event, Journal
from ctexp.queue.left import Left
from ctexp.queue.orders import Orders
from ctexp.queue.state import Night, fold, one_end

_BALLAST_BYTES = 1 << 18
"""Kept on the disk while a job runs, for the last words of a night whose disk it fills."""


def main(words: Sequence[str]) -> int:
    """Carry out one attempt.

    Returns:
        0 to go on with the next job, 5 for a full disk, 124 for a window that has closed, 130 or 143 for a
        signal. How the attempt ended is in the journal.

    Raises:
        UsageError: these are no words of a job.
        StorageError: its beginning, or its end, cannot be written down.
    """
    key, dashes, argv = words[0] if words else "", list(words[1:2]), words[2:]
    if dashes != ["--"] or len(argv) < 2:
        raise UsageError("run: expected KEY -- PROGRAM VERB …", "called by rendered scripts")
    queue = QueueDir.here()
    with Signals() as signals:
        die_with_parent()
        journal, orders = Journal(queue.journal), Orders.read(queue.orders)
        events = journal.read()
        night = fold(orders, events)
        begins = night.begins or [{}]
        if orders.mode == "local" and os.getppid() != begins[-1].get("pid"):
            raise Stopped(
                signal.SIGTERM, "the script of this night is gone"
            )  # before its death could be told
        job_id = key.partition(":")[0]
        device = night.jobs[job_id].device if job_id in night.jobs else None
        orders = orders.on(device)
        since = [event for event in events if event["seq"] > night.began_at and _is_on(night, event, device)]
        latest = latest_begin(orders, night, job_id)
        cool_down(orders, since, journal, signals, screen.note, latest=latest)
        signals.wait(0)
        if signals.stopped_by:
            return 128 + signals.stopped_by
        night = fold(orders, journal.read())
        remaining = seconds_left(orders, begins[-1])
        if remaining is not None and remaining < 0:  # while it waited: `next` has the last word
            return 0
        start = beginning(orders, night, key, argv, remaining)
        if night.jobs[start.job.id].cancelled:  # while it cooled down
            return 0
        return _Attempt(queue, orders, journal, begins, start).carry_out(signals)


def _is_on(night: Night, event: Event, device: str | None) -> bool:
    """Whether an event is of the night as a whole, or of a job on this device."""
    job = night.jobs.get(event.get("job", ""))
    return job is None or job.device == device


class _Attempt:
    """From its `start` in the journal to its `end`."""

    def __init__(
        self, queue: QueueDir, orders: Orders, journal: Journal, begins: Sequence[Event], start: Beginning
    ) -> None:
        self._queue, self._orders, self._journal = queue, orders, journal
        self._begins, self._start = begins, start
        self._runs = Path(orders.runs)
        self._beat = queue.beat(start.name)

    def carry_out(self, signals: Signals) -> int:
        """The exit code of `main`."""
        start, orders = self._start, self._orders
        ballast = self._queue.path / ("ballast" if orders.slots == 1 else f"ballast-{start.job.id}")
        with contextlib.suppress(OSError):
            self._beat.touch()
            ballast.write_bytes(bytes(_BALLAST_BYTES))
        mark = left.look(self._runs, start.job, start.run).mark if start.run else None
        begun = self._journal.append(
            "start",
            job=start.job.id,
            attempt=start.number,
            mode=start.mode,
            fallback=start.fallback,
            argv=list(start.argv),
            run=start.run,
            mark=mark,
            limit_seconds=start.limit_seconds,
            deviations=list(start.deviations),
            pid=os.getpid(),
        )
        before = left.names(self._runs, start.job)
        # What several say at once nobody can read: it is in their logs.
        with Output(self._queue.output(start.name), shown=orders.slots == 1) as output:
            for line in self._opening():
                output.say(line)
            environment, descriptors = locks.passed_on(environment=os.environ | self._variables())
            outcome = child.run(
                self._program(),
                root=Path(orders.root),
                environment=environment,
                descriptors=descriptors,
                output=output,
                signals=signals,
                grace=orders.grace_seconds,
                tend=Tending(
                    output,
                    self._beat,
                    silence=orders.silence_seconds,
                    limit=start.limit_seconds,
                    spent=(start.job.limit_seconds or 0.0) - (start.limit_seconds or 0.0),
                    seconds_left=partial(seconds_left, orders, self._begins[-1]),
                    cancelled=Cancelled(self._journal, start.job.id, begun["seq"]),
                ).look,
            )
            found = self._found(before, mark)
            stop = cast(Stop | None, outcome.stop)
            end = ending(outcome.code, stop, outcome.why, found, shortened=start.shortened)
            self._write(told(end, outcome.code, outcome.seconds, found, self._begins[0]), ballast, output)
            output.say(f"{_clock()} {start.job.id}: {_closing(end, outcome)}")
        if end.state in {"failed", "timeout"}:
            self._tell(end, _closing(end, outcome))
        signals.wait(0)
        if signals.stopped_by:
            return 128 + signals.stopped_by
        if end.cause == "disk":
            return StorageError.exit_code
        return TimeBudgetUsed.exit_code if outcome.stop == "window" else 0

    def _program(self) -> Sequence[str]:
        """Its words, or what has another machine carry them out."""
        orders, start = self._orders, self._start
        if not orders.elsewhere:
            return start.argv
        from ctexp.executors.carry import words_of

        return words_of(orders.executor, f"{orders.queue}.{start.name}", start.argv)

    def _variables(self) -> dict[str, str]:
        """What the program learns about whom it works for."""
        orders = self._orders
        ours = {
            "CTEXP_ROOT": orders.root,
            "CTEXP_PLAN": orders.plan,
            "CTEXP_QUEUE": orders.queue,
            "CTEXP_JOB": self._start.job.id,
            heartbeat.VARIABLE: str(self._beat),
        }
        return ours | warm.device(orders) | warm.variables(orders, self._start.job)

    def _opening(self) -> list[str]:
        start = self._start
        again = f", attempt {start.number}" if start.number > 1 else ""
        on = f", going on with {start.run}" if start.run else ""
        return [f"{_clock()} {start.job.id}: begins{again}{on}", *(f"  {line}" for line in start.deviations)]

    def _found(self, before: frozenset[str], mark: str | None) -> Left | None:
        """The run of this very attempt, and what it says of its end if that is news."""
        job = self._start.job
        run = self._start.run or left.made(
            self._runs, job, self._orders.queue, left.names(self._runs, job) - before
        )
        if run is None:
            return None
        return left.look(self._runs, job, run).since(mark)

    def _tell(self, end: Ending, closing: str) -> None:
        """Tell whoever wants to know of a failure; it is written down by now."""
        from ctexp.queue.morning import notify

        orders, start = self._orders, self._start
        notify.tell(
            "failure",
            Path(orders.root),
            f"{orders.plan}: {start.job.id} {closing}",
            queue=orders.queue,
            plan=orders.plan,
            job=start.job.id,
            attempt=start.number,
            state=end.state,
            cause=end.cause,
            reason=end.reason,
        )

    def _write(self, fields: dict[str, Any], ballast: Path, output: Output) -> None:
        """The one end of this attempt."""
        job = self._start.job.id
        fields |= {"job": job, "attempt": self._start.number, "recovered": False}
        write = partial(self._journal.append, "end", check=one_end(job, self._start.number), **fields)
        try:
            write()
        except StorageError:
            ballast.unlink(missing_ok=True)
            try:
                write()
            except StorageError:
                output.say(f"{job}: its end cannot be written down; the next start finds out how it ended")
                raise
        ballast.unlink(missing_ok=True)  # room for what the night says at its end


def _clock() -> str:
    """On the wall, as whoever reads the screen or its log in the morning knows it."""
    return time.strftime("%H:%M")


def _closing(end: Ending, outcome: Outcome) -> str:
    kind = f" ({end.cause})" if end.cause else ""
    reason = f": {end.reason}" if end.reason else ""
    return f"{end.state}{kind} after {clock.duration(outcome.seconds)}{reason}"
