"""A queue in a cluster: every job is a task of a SLURM array, on any node, perhaps several times.

Nothing holds the queue as a whole. A task holds a lock of its own, through everything it starts: where a node
was given up although it still works, the task that replaces it waits for the old one to end.
"""

import os
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ctexp.core import screen
from ctexp.core.errors import Busy, UsageError
from ctexp.core.locks import FileLock
from ctexp.executors.slurm import accounting
from ctexp.executors.slurm.accounting import InLine, NoAnswer
from ctexp.queue.folder import FOLDER, QueueDir, queues
from ctexp.queue.journal import Journal
from ctexp.queue.orders import Orders

ANALYSIS = "analysis"
"""The task after those of the jobs."""

_LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class Task:
    """A task as SLURM has started it.

    Attributes:
        array: the id of the whole array; `slurm_job` of this task.
        index: from 1, in the order of running; the analysis comes last.
        restarts: how often it was requeued before.
    """

    array: str
    index: int
    slurm_job: str
    restarts: int

    @classmethod
    def here(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """The one this process belongs to.

        Raises:
            UsageError: it belongs to none.
        """
        try:
            return cls(
                array=environment["SLURM_ARRAY_JOB_ID"],
                index=int(environment["SLURM_ARRAY_TASK_ID"]),
                slurm_job=environment["SLURM_JOB_ID"],
                restarts=int(environment.get("SLURM_RESTART_COUNT") or 0),
            )
        except (KeyError, ValueError) as error:
            raise UsageError(
                "not started by SLURM as a task of an array", "sbatch scripts/<plan>.slurm.sh"
            ) from error

    def name(self, orders: Orders) -> str:
        """The job it is for, or `ANALYSIS`.

        Raises:
            UsageError: the array has more tasks than the plan asks for.
        """
        names = {number: name for name, number in indices(orders).items()}
        if self.index not in names:
            raise UsageError(f"task {self.index} of an array of {len(names)}", "render the script again")
        return names[self.index]


def doorway(runs: Path, plan: str) -> FileLock:
    """Held by the task that makes, or looks for, the queue of its array."""
    return FileLock(runs / FOLDER / f"{plan}.array.lock", f"the beginning of plan {plan}")


def wait_for(lock: FileLock) -> None:
    """Take a lock however long that lasts: the cluster ends a task that waits for ever."""
    told = False
    while True:
        try:
            lock.acquire()
        except Busy as error:
            if not told:
                screen.note(str(error))
            told = True
            time.sleep(_LOOK_SECONDS)
        else:
            return


def joined(runs: Path, plan: str, array: str) -> QueueDir | None:
    """The queue that another task of this array has begun, or begun to go on with."""
    for queue in reversed(queues(runs, plan)):
        events = Journal(queue.journal).read()
        if any(event["kind"] == "begin" and event.get("array") == array for event in events):
            return queue
    return None


def enter(queue: QueueDir, orders: Orders, task: Task) -> tuple[str, FileLock]:
    """Take the task's own lock, and write down that it is there: its name, and the lock."""
    name = task.name(orders)
    lock = queue.task_lock(name)
    wait_for(lock)
    node = os.environ.get("SLURMD_NODENAME") or os.uname().nodename
    lock.sign(f"task {task.index} of array {task.array} on {node}")
    Journal(queue.journal).append(
        "task",
        task=name,
        array=task.array,
        slurm_job=task.slurm_job,
        restarts=task.restarts,
        host=node,
        pid=os.getpid(),
    )
    return name, lock


def tie(orders: Orders, task: Task) -> None:
    """Tell the cluster which task is for which job, and which waits for which: none sits on a node to wait.

    A task that has begun already cannot be told; it waits by itself, see `hold`.
    """
    index = indices(orders)
    waits = {
        job.id: [index[other.id] for name in job.waits_for for other in orders.of(name)]
        for job in orders.jobs
    }
    waits[ANALYSIS] = [number for name, number in index.items() if name != ANALYSIS]
    # A task becomes a job of its own, which others can wait for, with the first thing that is its alone.
    for name, number in index.items():
        _scontrol("update", f"JobId={task.array}_{number}", f"JobName={name}")
    for name, others in waits.items():
        if others and index[name] != task.index:
            after = ":".join(f"{task.array}_{other}" for other in others)
            said = _scontrol("update", f"JobId={task.array}_{index[name]}", f"Dependency=afterany:{after}")
            if said:
                screen.note(f"{name} will wait by itself ({said})")


def indices(orders: Orders) -> dict[str, int]:
    """The tasks of an array by their names."""
    return {name: number for number, name in enumerate((*(job.id for job in orders.jobs), ANALYSIS), 1)}


def in_line(array: str) -> Mapping[int, InLine] | None:
    """The tasks that run, or that the cluster is still to start; None where it does not tell."""
    found = accounting.in_line([array])
    if found is None:
        return None
    tasks = ((job.rpartition("_")[2], seen) for job, seen in found.items())
    return {int(index): seen for index, seen in tasks if index.isdecimal()}


def said_of(
    orders: Orders, array: str, line: Mapping[int, InLine], unseen: Collection[str]
) -> dict[str, str]:
    """What the cluster says of jobs whose tasks do not run now, by their ids, a few words each.

    Args:
        orders: of the queue.
        array: that carries it out.
        line: as `in_line` tells it.
        unseen: jobs whose end nobody has written down yet.
    """
    said = {}
    for name, number in indices(orders).items():
        if (seen := line.get(number)) is not None:
            if not seen.runs:
                said[name] = f"SLURM says {seen.state}, {seen.reason}"
        elif name in unseen and (end := accounting.end_of(f"{array}_{number}")):
            said[name] = f"SLURM says {end.state}" + (f" on {end.node}" if end.node else "")
    return said


def _scontrol(*words: str) -> str:
    """What went wrong; empty where nothing did."""
    match accounting.asked("scontrol", *words):
        case NoAnswer(why=why):
            return why
        case None:
            return "no such task"
        case _:
            return ""
