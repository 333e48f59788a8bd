"""Between two jobs: a pause, until the GPU is cool and nobody else computes on it; never for long.

A training that begins on a hot GPU is slowed down by its driver, and one beside another's computation runs
out of memory. Neither is worth a night: after a bounded time, and before it would miss the window's end, the
next job begins all the same. A desktop's own programs draw, and do not compute: they are not waited for.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ctexp.core import clock, gpu_reading
from ctexp.core.gpu_reading import ComputeProcess
from ctexp.queue.attempting.child import Signals
from ctexp.queue.journal import Event, Journal, uptime
from ctexp.queue.orders import Orders

_LOOK_SECONDS = 5.0


@dataclass(frozen=True)
class _Hindrance:
    """What speaks against beginning now.

    Attributes:
        told: in a few words.
        pid: of the process that computes; None for heat.
    """

    told: str
    pid: int | None = None


def cool_down(
    orders: Orders,
    events: Sequence[Event],
    journal: Journal,
    signals: Signals,
    say: Callable[[str], None],
    look_seconds: float = _LOOK_SECONDS,
    latest: float | None = None,
) -> None:
    """Wait as the plan says, or until a signal asks for a stop; what was waited for is written down.

    Before the first job of a start there is no pause. Who was waited for in vain is not waited for again in
    the same start. Where other machines work, or others decide who computes where, nothing is waited for.

    Args:
        orders: pause, temperature, memory and bound.
        events: of the newest start of the queue.
        journal: where it is written down.
        signals: blocked.
        say: is told what is waited for.
        look_seconds: between two looks at the GPU.
        latest: uptime at which the next job has to begin to end within the window: the GPU is not waited for
            beyond it. None where there is no such moment.
    """
    if orders.mode != "local" or orders.elsewhere:
        return
    _pause(orders, events, signals)
    if orders.gpu_uuid is None or signals.stopped_by:
        return
    in_vain = frozenset(pid for event in events for pid in event.get("in_vain_for", ()))
    bound = orders.cooldown_seconds
    if latest is not None:
        bound = min(bound, max(0.0, latest - uptime()))
    began = time.monotonic()
    seen: list[_Hindrance] = []
    while found := _hindrances(orders, in_vain):
        if not seen:
            say(f"waiting for the GPU, at most {clock.duration(bound)}: {_list(found)}")
        seen = found
        left = bound - (time.monotonic() - began)
        if left <= 0:
            break
        signals.wait(min(look_seconds, left))
        if signals.stopped_by:
            return
    if seen:
        waited = clock.duration(time.monotonic() - began)
        end = f"in vain for {waited}: {_list(found)}" if found else f"for {waited}: {_list(seen)}"
        pids = sorted(one.pid for one in found if one.pid is not None)
        journal.append("note", text=f"waited for the GPU {end}", in_vain_for=pids)


def _pause(orders: Orders, events: Sequence[Event], signals: Signals) -> None:
    ends = [event["uptime"] for event in events if event["kind"] == "end"]
    while ends and not signals.stopped_by and (left := ends[-1] + orders.pause_seconds - uptime()) > 0:
        signals.wait(left)


def _hindrances(orders: Orders, in_vain: frozenset[int]) -> list[_Hindrance]:
    """Heat, and large foreign computations; none where no driver tells."""
    found = []
    now = gpu_reading.read(orders.gpu_uuid)
    heat = now.temperature if now else None
    if heat is not None and orders.cool_below is not None and heat > orders.cool_below:
        found.append(_Hindrance(f"{heat} °C, to cool down to {orders.cool_below} °C"))
    for process in gpu_reading.compute_processes(orders.gpu_uuid):
        if (
            _is_large(process, orders.foreign_bytes)
            and process.pid not in in_vain
            and not _is_ours(process.pid)
        ):
            size = (process.memory or 0) / 2**30
            found.append(_Hindrance(f"process {process.pid} holds {size:.1f} GiB", process.pid))
    return found


def _is_large(process: ComputeProcess, least: int) -> bool:
    return process.memory is not None and process.memory >= least


def _is_ours(pid: int) -> bool:
    """Whether a process descends from the script that this one was started by."""
    import psutil

    try:
        above = [pid, *(one.pid for one in psutil.Process(pid).parents())]
    except psutil.Error:  # no such process here: a container sees the pids of its host
        return False
    return not {os.getppid(), os.getpid()}.isdisjoint(above)


def _list(found: list[_Hindrance]) -> str:
    return ", ".join(one.told for one in found)
