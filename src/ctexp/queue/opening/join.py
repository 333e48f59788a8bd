"""How the tasks of an array come to their queue: the first makes it, or reopens it; the others join in.

Whichever the cluster starts first does what `begin` does on one machine. There is no window: the cluster says
when a task runs and for how long.
"""

from dataclasses import replace
from typing import NoReturn

from ctexp.queue.array import Task, doorway, enter, joined, tie, wait_for
from ctexp.queue.deciding.choose import left_to_do
from ctexp.queue.folder import QueueDir, sweep_unborn
from ctexp.queue.journal import Journal
from ctexp.queue.opening import become, reopen
from ctexp.queue.opening.options import Asked
from ctexp.queue.opening.preflight import Place
from ctexp.queue.opening.ready import Ready
from ctexp.queue.opening.rebuild import rebuild
from ctexp.queue.orders import Orders
from ctexp.queue.state import fold


def join(asked: Asked, place: Place) -> NoReturn:
    """Become this task's part of the queue's script.

    Raises:
        UsageError: this process is no task of an array.
        CtexpError: the queue cannot be begun.
    """
    task = Task.here()
    door = doorway(place.runs, asked.name)
    wait_for(door)
    queue = joined(place.runs, asked.name, task.array) or _begun(asked, place, task)
    door.release()
    orders = Orders.read(queue.orders)
    name, lock = enter(queue, orders, task)
    variables = {
        "CTEXP_QUEUE_DIR": str(queue.path),
        "CTEXP_QUEUE": queue.id,
        "CTEXP_PLAN": orders.plan,
        "CTEXP_ROOT": str(place.root),
        "CTEXP_TASK": name,
    }
    become.become(queue, [lock], variables)


def _begun(asked: Asked, place: Place, task: Task) -> QueueDir:
    """The queue, made or gone on with in the name of the whole array."""
    queue = reopen.meant(place.runs, asked)
    if queue is not None:
        reopen.refuse_damaged(queue)
    ready = Ready(asked, place, queue)
    ready.tell()
    if queue is None:
        sweep_unborn(place.runs, asked.name)
        queue = QueueDir.create(place.runs, asked.name, fill=ready.fill)
    # Others' jobs end on other nodes: no reason to pause here.
    orders = replace(ready.orders, queue=queue.id, pause_seconds=0.0)
    orders.write(queue.orders)
    journal = Journal(queue.journal)
    rebuild(queue, orders)
    no_window = dict.fromkeys(("opens", "closes", "closes_uptime"))
    journal.append("begin", array=task.array, **no_window, **ready.facts)
    if left_to_do(orders, fold(orders, journal.read()), ready.only):
        tie(orders, task)
    return queue
