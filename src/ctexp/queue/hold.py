"""`queue hold TASK`: what a task of an array may do now: print the key of its job once it may begin.

A task decides for its own job alone, by the rules of `choose`. What it waits for are other tasks, on other
nodes: the cluster starts it when they have ended (see `array.tie`), and where it could not be told to, this
program looks again and again, for a while; then the task gives its node back, so that others can run there.
"""

import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, replace

from ctexp.core import screen
from ctexp.core.errors import Busy, CriterionNotMet, UsageError
from ctexp.queue.array import ANALYSIS, in_line, indices
from ctexp.queue.deciding.choose import survey
from ctexp.queue.deciding.decide import decision
from ctexp.queue.deciding.verdicts import Begin, Decide, Held, Left, Now, Running, Skip, Stop, Verdict
from ctexp.queue.folder import QueueDir
from ctexp.queue.journal import Event, Journal, uptime
from ctexp.queue.orders import Orders
from ctexp.queue.settle import settle
from ctexp.queue.state import JobNow, Night, fold

_LOOK_SECONDS = 2.0
_PATIENCE_SECONDS = 600.0


def main(words: Sequence[str]) -> int:
    """Wait until there is something to say about a task.

    Returns:
        0 with a key printed to begin that, 0 with none where the job is done, or the analysis may begin; 12
        where the job is over otherwise, or left; 5 for a full disk; 75 where others have to run first.
    """
    if len(words) != 1:
        raise UsageError("queue hold TASK")
    task = _Task(QueueDir.here(), words[0])
    until = time.monotonic() + _PATIENCE_SECONDS
    while (code := task.look()) is None:
        if time.monotonic() > until:
            return Busy.exit_code
        time.sleep(_LOOK_SECONDS)
    return code


class _Task:
    """A task whose lock is held by this process."""

    def __init__(self, queue: QueueDir, name: str) -> None:
        self._queue, self._name = queue, name
        self._orders, self._journal = Orders.read(queue.orders), Journal(queue.journal)
        self._missed = False

    def look(self) -> int | None:
        """The exit code, or None to look again."""
        events = self._journal.read()
        night = fold(self._orders, events)
        if self._name == ANALYSIS:
            others = [job.id for job in self._orders.jobs]
            return None if self._are_coming(others, unless_told=_unfinished(self._orders, night)) else 0
        # The lock is ours: an attempt without an end has nobody who would write it.
        if settle(self._queue, self._orders, replace(night, jobs={self._name: night.jobs[self._name]})):
            return self.look()
        match _verdict(self._orders, night, events, self._name):
            case Begin() as begin:
                print(begin.key)
                return 0
            case Held(by):
                if self._are_coming(by, unless_told=True):
                    return None
                return self._skip(Skip(self._name, "need", f"waits for {by[0]}, which no task is left for"))
            case Running():
                return None
            case Decide() as wanted:
                event = {"kind": "decision", **decision(self._orders, night, wanted)}
                _write_once(self._journal, night, event)
                return self.look()
            case Skip() as skip:
                return self._skip(skip)
            case Stop(exit_code, reason):
                self._journal.append("note", text=reason)
                screen.note(reason)
                return exit_code
            case _:
                return 0 if night.jobs[self._name].state == "done" else CriterionNotMet.exit_code

    def _skip(self, skip: Skip) -> int:
        self._journal.append("skip", **asdict(skip))
        screen.note(f"{skip.job}: skipped, {skip.reason}")
        return CriterionNotMet.exit_code

    def _are_coming(self, jobs: Sequence[str], *, unless_told: bool) -> bool:
        """Whether one of these jobs has a task that is at work, or that the cluster is still to start.

        Args:
            jobs: by their ids.
            unless_told: the answer where the cluster says nothing.
        """
        if any(self._queue.task_lock(job).is_held() for job in jobs):
            return True
        tasks = in_line(os.environ.get("SLURM_ARRAY_JOB_ID", ""))
        if tasks is None:
            return unless_told
        index = indices(self._orders)
        coming = any(index[job] in tasks for job in jobs)
        # One that has ended since the journal was read has left its line there: look once more.
        seen, self._missed = self._missed, not coming
        return coming or not seen


def _verdict(orders: Orders, night: Night, events: Sequence[Event], task: str) -> Verdict:
    """What `choose` says of the job of this task.

    To be interrupted is nothing final here: the cluster starts the task anew, or another one after it.
    """
    found = next(
        verdict for job, verdict in survey(orders, _as_seen(night, task), _now(orders)) if job.id == task
    )
    mine = night.jobs[task]
    if isinstance(found, Left) and mine.state == "interrupted":
        last = mine.attempts[-1]
        entered = max(event["seq"] for event in events if event["kind"] == "task" and event["task"] == task)
        if last.start["seq"] < entered:
            return Begin(task, last.fallback)
    return found


def _as_seen(night: Night, task: str) -> Night:
    """The jobs of other tasks that were interrupted are still to be run."""

    def seen(job: JobNow) -> JobNow:
        again = job.state == "interrupted" and not job.cancelled and job.id != task
        return JobNow(job.id) if again else job

    return replace(night, jobs={job.id: seen(job) for job in night.jobs.values()})


def _now(orders: Orders) -> Now:
    return Now(uptime(), shutil.disk_usage(orders.runs).free)


def _unfinished(orders: Orders, night: Night) -> bool:
    """Whether there is a job of which anything is to be done, or written down."""
    verdicts = (verdict for _, verdict in survey(orders, _as_seen(night, ANALYSIS), _now(orders)))
    return any(isinstance(verdict, Begin | Decide | Held | Running | Skip) for verdict in verdicts)


class _WrittenMeanwhile(Exception):
    """By the task of another seed."""


def _write_once(journal: Journal, night: Night, event: Event) -> None:
    """Write a decision down, unless another task has done so since we looked."""
    what = (event["what"], event["experiment"])
    known = night.decisions.get(what, {}).get("seq", 0)

    def check(events: Sequence[Event]) -> None:
        for one in events[known:]:
            if one["kind"] == "decision" and (one["what"], one["experiment"]) == what:
                raise _WrittenMeanwhile

    try:
        journal.extend([event], check=check)
    except _WrittenMeanwhile:
        return
