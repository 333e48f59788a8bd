"""The jobs left, packed into what is left of the window: which come first, which are left out, and why."""

from collections.abc import Sequence
from typing import Any

from ctexp.core import clock
from ctexp.core.wording import some
from ctexp.planning.packing.pack import pack
from ctexp.planning.plan.jobs import Job
from ctexp.queue.deciding.renewed import took
from ctexp.queue.deciding.room import Room
from ctexp.queue.deciding.verdicts import Begin, Decide, Held, Left, Over, Packed, Skip, Verdict
from ctexp.queue.journal import Event
from ctexp.queue.orders import Orders
from ctexp.queue.state import Night

_MOST = 5
"""Jobs that a line names."""


def packed(orders: Orders, night: Night, room: Room, verdicts: Sequence[Verdict]) -> Packed | None:
    """Pack what may still be begun.

    Args:
        orders: of the queue.
        night: so far.
        room: that there is now.
        verdicts: on each job in the order of running, were there all the room of the world.

    Returns:
        None where there is no window, or all fits into it: then the order is that of running.
    """
    if room.seconds is None:
        return None
    hopeful, later = _hopeful(orders, verdicts)
    done: dict[str, int] = {}
    for job in orders.jobs:
        done[job.experiment] = done.get(job.experiment, 0) + (night.jobs[job.id].state == "done")
    packing = pack(hopeful, room.lengths, max(0.0, room.seconds), orders.pause_seconds, done, room.lanes)
    if packing.whole:
        return None
    # What can be decided is decided first: it tells what is worth packing.
    kinds = dict(zip((job.id for job in orders.jobs), verdicts, strict=True))
    waiting = {job.id: job for job in hopeful if not isinstance(kinds[job.id], Decide)}
    first = [job for job in orders.jobs if job.id not in waiting and job.id not in later]
    order = [waiting[one] for one in packing.order if one in waiting and one not in later]
    last = [job for job in orders.jobs if job.id in later]
    chosen = tuple(one for one in packing.order if one in packing.chosen)
    left_out = tuple(job.id for job in hopeful if job.id not in packing.chosen)
    return Packed((*first, *order, *last), chosen, left_out, _event(orders, night, room, chosen, left_out))


def news(orders: Orders, night: Night, now: Packed | None) -> dict[str, Any] | None:
    """What to write down of a packing: nothing where it follows from what was written last in this start."""
    told = night.packs[-1] if night.packs and night.packs[-1]["seq"] > night.began_at else None
    if now is None:
        if told is None or not told["left_out"]:
            return None
        return {"order": [], "left_out": [], "seconds_left": None, "why": "all that is left fits"}
    if told is None:
        plain = [job.id for job in orders.jobs if job.id in now.chosen]
        return now.said if now.left_out or plain != [*now.chosen] else None
    still = {*now.chosen, *now.left_out}
    before = [job for job in told["order"] if job in still]
    out = {one["job"] for one in told["left_out"]} & still
    return None if before == [*now.chosen] and out == {*now.left_out} else now.said


def packing(orders: Orders, night: Night) -> list[str]:
    """What was last written down of it in the newest start, for people; see `lines`."""
    newest = night.packs[-1] if night.packs and night.packs[-1]["seq"] > night.began_at else None
    return lines(orders, newest) if newest else []


def lines(orders: Orders, event: Event) -> list[str]:
    """What an event `pack` says, for people: which jobs come first, which are left out, and why."""
    place = {job.id: number for number, job in enumerate(orders.jobs)}
    first: list[str] = []
    least = len(place)
    for job in reversed(event["order"]):
        if place.get(job, 0) > least:
            first.insert(0, job)
        least = min(least, place.get(job, least))
    said = [f"put first, to make the most of the window: {some(first, _MOST)}"] if first else []
    if event["left_out"]:
        needs = [f"{one['job']} ({one['needs']})" for one in event["left_out"]]
        said.append(f"left out of the window: {some(needs, _MOST)}, {event['why']}")
    return said


def _hopeful(orders: Orders, verdicts: Sequence[Verdict]) -> tuple[list[Job], set[str]]:
    """The jobs that may still be begun, and which of those that wait wait for one that never will be."""
    hopeless: set[str] = set()  # experiments whose jobs are not all done in this start
    left: set[str] = set()  # likewise, and what waits for them in any way is left too
    behind: set[str] = set()  # experiments of which a job waits in vain, or for such
    hopeful: list[Job] = []
    later: set[str] = set()
    for job, verdict in zip(orders.jobs, verdicts, strict=True):
        match verdict:
            case Begin() | Decide():
                hopeful.append(job)
            case Held():
                in_vain = not hopeless.isdisjoint(job.needs) or not left.isdisjoint(job.waits_for)
                if in_vain:
                    hopeless.add(job.experiment)
                else:
                    hopeful.append(job)
                if in_vain or not behind.isdisjoint(job.waits_for):
                    behind.add(job.experiment)
                    later.add(job.id)
            case Left() | Skip(why="window"):
                left.add(job.experiment)
                hopeless.add(job.experiment)
            case Over(done=False) | Skip():
                hopeless.add(job.experiment)
    return hopeful, later


def _event(
    orders: Orders, night: Night, room: Room, chosen: Sequence[str], left_out: Sequence[str]
) -> dict[str, Any]:
    """The fields of `pack`."""

    def entry(job: str) -> dict[str, Any]:
        length = room.lengths[job]
        whole = "cost unknown" if length is None else f"p90 {clock.duration(length.p90)}"
        return {"job": job, "seconds": length and round(length.p90, 1), "needs": whole}

    seconds = max(0.0, room.seconds or 0.0)
    why = f"with {clock.duration(seconds)} to go"
    if renewed := took(orders, night):
        why += f"; {renewed}"
    return {
        "order": list(chosen),
        "left_out": [entry(job) for job in left_out],
        "seconds_left": round(seconds, 1),
        "why": why,
    }
