"""A thousand nights of random plans, whose jobs take up to three times as long as expected: none overruns."""

import random

import pytest

from ctexp.planning.plan.jobs import Job
from ctexp.queue.deciding.renewed import lengths
from ctexp.queue.deciding.room import least, left_of
from ctexp.queue.orders import Orders
from tests.queue.simulated import Chosen, Simulated, plan

OVER = {"done", "failed", "timeout", "skipped"}


def nights(first: int, count: int) -> None:
    """Simulate them, one after the other, two starts each, and look at each."""
    stopped = reordered = left_out = 0
    for seed in range(first, first + count):
        dice = random.Random(seed)
        night = Simulated(plan(dice), dice)
        for _ in range(2):
            began, length = len(night.begun), dice.uniform(1800, 8 * 3600)
            night.start(length)
            keeps_its_window(night, seed)
            told_of_all(night, seed)
            for chosen in night.begun[began:]:
                in_order(night.orders, chosen, seed)
            night.now += 3600.0
            stopped += night.code == 124
        reordered += any(not one.plain for one in night.begun)
        left_out += any(event["kind"] == "pack" and event["left_out"] for event in night.events)
        ends = [(e["job"], e["attempt"]) for e in night.events if e["kind"] == "end"]
        starts = [(e["job"], e["attempt"]) for e in night.events if e["kind"] == "start"]
        assert sorted(starts) == sorted(set(ends)) == sorted(ends), seed
    # Or else they would prove nothing.
    assert min(stopped, reordered, left_out) > count / 10


def keeps_its_window(night: Simulated, seed: int) -> None:
    assert night.over <= night.closes, f"night {seed}: {night.over - night.closes:.1f} s too long"


def told_of_all(night: Simulated, seed: int) -> None:
    """Whatever was not begun has its reason; nothing waits that would have had the time."""
    if night.code:
        return
    now = night.night
    states = {job.id: job.state for job in now.jobs.values()}
    assert set(states.values()) <= OVER | {"interrupted"}, (seed, states)
    skips = {event["job"]: event for event in night.events if event["kind"] == "skip"}
    whole = lengths(night.orders, now)
    for job in night.orders.jobs:
        waits = [one.state for name in job.waits_for for one in now.of(night.orders, name)]
        if (states[job.id], now.jobs[job.id].kind) == ("skipped", "window") and {*waits} <= {"done"}:
            left = night.closes - skips[job.id]["uptime"] - night.orders.kept_seconds
            needed = least(job, left_of(whole[job.id], now.jobs[job.id]))
            assert needed > left - night.orders.pause_seconds, (seed, job.id)


def in_order(orders: Orders, chosen: Chosen, seed: int) -> None:
    """Nothing is begun before what it waits for, nor, packed, before a greater priority that could be."""
    mine = orders.job(chosen.begin.job)
    for name in mine.needs:
        assert all(one.state == "done" for one in chosen.night.of(orders, name)), seed
    for name in mine.waits_for:
        assert all(one.state in OVER for one in chosen.night.of(orders, name)), seed
    level = max(one.priority for one in [mine, *waiting_for(orders, mine)])
    for other in () if chosen.plain else chosen.others:
        assert orders.job(other).priority <= level, (seed, mine.id, other)


def waiting_for(orders: Orders, job: Job) -> list[Job]:
    """Those that wait for a job, and those that wait for them."""
    reached, found = {job.experiment}, []
    for one in orders.jobs:
        if reached.intersection(one.waits_for):
            reached.add(one.experiment)
            found.append(one)
    return found


def test_sixty_nights_keep_their_windows() -> None:
    nights(0, 60)


@pytest.mark.slow
def test_a_thousand_nights_keep_their_windows() -> None:
    nights(60, 1000)
