"""The warm trainer of a night: short jobs spend more time on imports than on training.

It is started where any job is expected to be short, ends with the script, and is left out where it cannot be:
what it would have carried out runs in a fresh process then, with the same record.
"""

import os
from collections.abc import Mapping

from ctexp.planning.plan.jobs import Job
from ctexp.queue.orders import Cost, Orders

VARIABLE = "CTEXP_QUEUE_WARM"
"""Environment variable of a night's script: the socket, which `CTEXP_WARM` tells to short jobs."""

SHORT_SECONDS = 300.0
"""The half of such jobs take less; of longer ones the seconds that it saves are nothing."""


def device(orders: Orders) -> dict[str, str]:
    """What says to a program which GPU is held for it, unless somebody has said it for all of them."""
    if orders.gpu_uuid is None or (not orders.devices and "CUDA_VISIBLE_DEVICES" in os.environ):
        return {}
    return {"CUDA_VISIBLE_DEVICES": orders.gpu_uuid}


def threads(orders: Orders) -> dict[str, str]:
    """What shares the processors between several jobs, unless somebody has said already who has how many."""
    if orders.slots == 1 or orders.elsewhere or orders.device != "cpu" or "OMP_NUM_THREADS" in os.environ:
        return {}
    return {"OMP_NUM_THREADS": str(max(1, len(os.sched_getaffinity(0)) // orders.slots))}


def is_short(orders: Orders, job: Job) -> bool:
    """Whether the warm trainer is for it; a sweep has one of its own, another machine none."""
    if orders.elsewhere:
        return False
    seconds = orders.costs.get(job.id, Cost()).seconds
    return not job.is_sweep and seconds is not None and seconds < SHORT_SECONDS


def start(orders: Orders) -> Mapping[str, str]:
    """Start it for the process that calls this, and becomes the script; what that has to say to its jobs.

    Nothing where no job is short, or there is one already, or none can be started.
    """
    if not any(is_short(orders, job) for job in orders.jobs) or "CTEXP_WARM" in os.environ:
        return {}
    from pathlib import Path

    from ctexp.core import screen
    from ctexp.core.errors import CtexpError
    from ctexp.warm.parent import Parent

    try:
        socket = Parent(Path(orders.root), os.environ | device(orders) | threads(orders)).start()
    except (CtexpError, OSError) as error:
        screen.warn(f"no warm trainer, short jobs begin in fresh processes: {error}")
        return {}
    return {VARIABLE: str(socket)}


def variables(orders: Orders, job: Job) -> dict[str, str]:
    """What a job's program has to be told of it."""
    socket = os.environ.get(VARIABLE)
    return {"CTEXP_WARM": socket} if socket and is_short(orders, job) else {}
