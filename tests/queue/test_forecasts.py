"""Nights that go as expected go as was forecast, those with room as planned, and all come to their end."""

import random
from dataclasses import replace
from unittest.mock import patch

import pytest

from ctexp.planning.packing.pack import Length
from ctexp.planning.schedule.walk import Slot, walk
from ctexp.queue.deciding import room as rooms
from ctexp.queue.deciding.choose import choose, left_to_do
from ctexp.queue.deciding.verdicts import Begin, Decide, Now
from ctexp.queue.orders import Cost, Orders
from ctexp.record.manifest import Estimate
from tests.queue.simulated import Simulated, plan
from tests.queue.stories import PLENTY, Story


def known(dice: random.Random) -> Orders:
    """A plan of known costs; no job has a limit, nor is anything kept of the window."""
    given = plan(dice)
    costs = {}
    for job in given.jobs:
        p50 = float(dice.randint(60, 3600))
        costs[job.id] = Cost(p50, float(int(p50 * dice.uniform(1.0, 2.0))))
    jobs = tuple(replace(job, limit_seconds=None) for job in given.jobs)
    return replace(given, jobs=jobs, costs=costs, grace_seconds=0.0, analysis_seconds=0.0)


def forecast(orders: Orders, seconds: float) -> dict[str, Slot]:
    """What `plan-check` says."""
    costs = {
        one: Estimate(seconds=cost.seconds or 0.0, seconds_p90=cost.seconds_p90, basis="known")
        for one, cost in orders.costs.items()
    }
    return dict(walk(orders.jobs, costs, seconds, orders.pause_seconds, "p50").slots)


def as_expected(orders: Orders, seconds: float) -> dict[str, Slot]:
    """What the queue does where each job takes its p50, every gate is passed, and nothing is renewed."""
    story, now, slots = Story(*orders.jobs), 0.0, {}
    story.orders, story.events = orders, []
    story.begin(closes_uptime=seconds)
    lengths = {
        one: Length(cost.seconds or 0.0, cost.seconds_p90 or 0.0) for one, cost in orders.costs.items()
    }
    with patch.object(rooms, "lengths", lambda *_: lengths):
        while (then := story.choice(uptime=now).then) is not None:
            if isinstance(then, Decide):
                decide(story, then)
                continue
            assert isinstance(then, Begin)
            job, length, left = orders.job(then.job), lengths[then.job], seconds - now
            shortened = job.shorten and length.p90 > left
            ends = now + (min(length.p50, left) if shortened else length.p50)
            slots[then.job] = Slot(now, ends, shortened, certain=True)
            story.tried(then.job, seconds=ends - now, uptime=ends)
            now = ends + orders.pause_seconds
    return slots


def decide(story: Story, wanted: Decide) -> None:
    """Every gate is passed, and the first of a base is its best."""
    job = next(one for one in story.orders.jobs if one.experiment == wanted.experiment)
    fields: dict[str, object]
    if wanted.what == "gate":
        assert job.gate is not None
        fields = {"observed": 1.0, "passed": True, "runs": story.runs(job.gate.after)}
    else:
        assert job.base is not None
        fields = {"winner": job.base.best_of[0], "words": [], "runs": story.runs(*job.base.best_of)}
    story.tell("decision", what=wanted.what, experiment=wanted.experiment, **fields)


def forecasts_hold(first: int, count: int) -> None:
    too_small = 0
    for seed in range(first, first + count):
        dice = random.Random(seed)
        orders = known(dice)
        seconds = dice.uniform(0.2, 1.3) * sum(cost.seconds or 0.0 for cost in orders.costs.values())
        said, went = forecast(orders, seconds), as_expected(orders, seconds)
        assert list(said) == list(went), seed
        for name, slot in said.items():
            other = went[name]
            assert (slot.begins, slot.ends) == pytest.approx((other.begins, other.ends)), (seed, name)
            assert slot.shortened == other.shortened, (seed, name)
        too_small += len(went) < len(orders.jobs)
    assert too_small > count / 2


def test_a_night_that_goes_as_expected_goes_as_was_forecast() -> None:
    forecasts_hold(0, 60)


@pytest.mark.slow
def test_two_thousand_nights_go_as_was_forecast() -> None:
    forecasts_hold(60, 2000)


def test_where_all_fits_the_queue_does_what_it_does_without_a_window() -> None:
    """Whatever its jobs really took: no night with room is rearranged, and none of its jobs left out."""
    for seed in range(40):
        dice = random.Random(seed)
        night = Simulated(plan(dice), dice)
        night.start(1e7)
        for chosen in night.begun:
            begins = chosen.night.begins
            free = replace(chosen.night, begins=[*begins[:-1], begins[-1] | {"closes_uptime": None}])
            assert choose(night.orders, free, Now(0.0, PLENTY)).then == chosen.begin, seed
            assert chosen.plain, seed


def test_start_after_start_every_job_has_its_turn_and_the_journal_comes_to_an_end() -> None:
    for seed in range(60):
        dice = random.Random(seed)
        night = Simulated(plan(dice), dice)
        jobs, starts = len(night.orders.jobs), 0
        longest = max((cost.seconds_p90 or 0.0 for cost in night.orders.costs.values()), default=0.0)
        while left_to_do(night.orders, night.night) and starts <= 2 * jobs:
            night.start(night.orders.kept_seconds + night.orders.pause_seconds + 3.2 * max(3600.0, longest))
            night.now += 3600
            starts += 1
        assert not left_to_do(night.orders, night.night), seed
        kinds = [event["kind"] for event in night.events]
        assert kinds.count("pack") <= kinds.count("start") + starts, seed
        assert len(kinds) <= 4 * kinds.count("start") + starts * (jobs + 8), seed
