"""`queue begin`: check everything, take the locks, make or reopen the queue, become its copy of the script.

Nothing is made before all is checked, and what is made is made whole. Killed at any moment, it leaves what
the next start takes up: no queue yet, or one whose journal says how far it has come.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime

from ctexp.config.compose import resolve_paths
from ctexp.core import clock, screen
from ctexp.core.errors import Busy, DataError, Stopped
from ctexp.core.locks import FileLock
from ctexp.core.paths import project_root, shown
from ctexp.planning.plan import window
from ctexp.queue import warm
from ctexp.queue.deciding.choose import left_to_do
from ctexp.queue.folder import QueueDir, queues, sweep_unborn
from ctexp.queue.journal import Journal, uptime
from ctexp.queue.morning import outcome
from ctexp.queue.opening import become, options, reopen
from ctexp.queue.opening.join import join
from ctexp.queue.opening.options import Asked
from ctexp.queue.opening.preflight import Place
from ctexp.queue.opening.ready import Ready, plan_meant
from ctexp.queue.opening.rebuild import rebuild
from ctexp.queue.orders import Orders
from ctexp.queue.settle import settle
from ctexp.queue.state import fold


def main(words: Sequence[str]) -> int:
    """Begin a night, or go on with one; this comes back only where there is nothing to run."""
    asked = options.parse(words)
    root = project_root()
    place = Place(root, *resolve_paths(root))
    if asked.mode == "slurm" and not asked.dry_run:
        join(asked, place)
    queue = reopen.meant(place.runs, asked)
    with ExitStack() as stack:
        held = _Held(stack, asked)
        if queue is not None:
            if not asked.dry_run:
                held.take(queue.lock())
                reopen.refuse_damaged(queue)
            if (code := _over(queue, asked, place)) is not None and not asked.dry_run:
                return code
        ready = Ready(asked, place, queue)
        ready.tell()
        if asked.dry_run:
            return 0
        for device in ready.device_locks:
            held.take(device)
        if reopen.meant(place.runs, asked) != queue:
            raise Busy(f"another start of {asked.name} came first", "start it again: it goes on from there")
        if queue is None:
            sweep_unborn(place.runs, asked.name)
            _keep_unseen(place, asked.name)
            queue = QueueDir.create(place.runs, asked.name, fill=ready.fill)
            held.take(queue.lock())
        if asked.detach:
            become.go_on_alone(queue)
            held.sign()
        orders = _opened(queue, ready)
        variables = {
            "CTEXP_QUEUE_DIR": str(queue.path),
            "CTEXP_QUEUE": queue.id,
            "CTEXP_PLAN": orders.plan,
            "CTEXP_ROOT": str(root),
            "CTEXP_SLOTS": str(orders.slots),
            **warm.threads(orders),
        }
        return become.become(queue, held.locks, {**variables, **warm.start(orders)})


def _keep_unseen(place: Place, plan: str) -> None:
    """The plan's newest queue, if nobody saw its end: its page would never be written."""
    for queue in queues(place.runs, plan)[-1:]:
        try:
            if reopen.was_killed(queue):
                from ctexp.queue.end import unseen  # with all that judges hypotheses

                unseen(queue, place.root, place.runs)
        except DataError as error:
            screen.warn(f"{queue.id}: its page cannot be written: {error}")


class _Held:
    """The locks that are held, in the name of what was typed."""

    def __init__(self, stack: ExitStack, asked: Asked) -> None:
        self.locks: list[FileLock] = []
        self._stack = stack
        self._typed = " ".join(["bash", shown(asked.script), *asked.words])

    def take(self, lock: FileLock) -> None:
        self.locks.append(self._stack.enter_context(lock))
        lock.sign(self._typed)

    def sign(self) -> None:
        """Anew: after a fork it is another process."""
        for lock in self.locks:
            lock.sign(self._typed)


def _over(queue: QueueDir, asked: Asked, place: Place) -> int | None:
    """The exit code of a queue of which nothing is left to do, told; None of all others.

    Raises:
        UsageError: it is over, and its plan has changed since.
    """
    night = reopen.over(queue, asked.only)
    if night is None:
        return None
    plan_meant(asked, place, queue)
    states = [job.state for job in night.jobs.values()]
    counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    print(f"{queue.id} is over: {counts}; see {shown(queue.night_md)}")
    screen.note("nothing is left to do; --fresh begins a new queue")
    return outcome.exit_code(0, night)


def _opened(queue: QueueDir, ready: Ready) -> Orders:
    """Bring the journal up to date, write down that the night begins, and wait for its window.

    Raises:
        Stopped: while waiting; the journal says so.
    """
    # Costs are what all runs say by now, those of this very queue included.
    orders = replace(ready.orders, queue=queue.id)
    orders.write(queue.orders)
    journal = Journal(queue.journal)
    settle(queue, orders, fold(orders, rebuild(queue, orders)))
    now = datetime.now().astimezone()
    opens, closes = window.parse(orders.window).opens(now)
    journal.append(
        "begin",
        opens=clock.iso(opens),
        closes=clock.iso(closes),
        closes_uptime=uptime() + (closes - now).total_seconds(),
        **ready.facts,
    )
    try:
        become.wait_until(uptime() + (opens - now).total_seconds(), f"{opens:%Y-%m-%d %H:%M}")
    except Stopped as stopped:
        night = fold(orders, journal.read())
        left = left_to_do(orders, night, ready.only)
        journal.append("close", exit_code=stopped.exit_code, reason=str(stopped), left=left)
        raise
    return orders
