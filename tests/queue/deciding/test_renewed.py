"""Renewed lengths, against the conditional normal distribution worked out by matrices."""

import math

import numpy as np
import pytest

from ctexp.planning.packing.pack import Length
from ctexp.queue.deciding.renewed import EXPERIMENT, JOB, NIGHT, lengths, took
from ctexp.queue.orders import Cost
from tests.queue.stories import Story
from tests.queue.written import job

Z90 = 1.2816
JOBS = [job(name, seed) for name in ("a", "b", "c") for seed in (1, 2, 3)]
COSTS = {one.id: Cost(1000 + 100 * n, (1000 + 100 * n) * 1.4) for n, one in enumerate(JOBS)}


def by_matrices(done: dict[str, float]) -> dict[str, Length]:
    """The same by conditioning the joint normal distribution of all jobs on those that are done."""
    same = np.array([[(i.experiment == j.experiment) * EXPERIMENT + NIGHT for j in JOBS] for i in JOBS])
    sigma = np.array([math.log(cost.seconds_p90 / cost.seconds) / Z90 for cost in COSTS.values()])  # type: ignore[operator]
    covariance = (same + JOB * np.eye(len(JOBS))) * np.outer(sigma, sigma)
    mean = np.log([cost.seconds or 0 for cost in COSTS.values()])
    known = [n for n, one in enumerate(JOBS) if one.id in done]
    seen = np.log([done[JOBS[n].id] for n in known]) - mean[known]
    gain = covariance[:, known] @ np.linalg.inv(covariance[np.ix_(known, known)])
    middle = mean + gain @ seen
    rest = np.sqrt(np.maximum(0, np.diag(covariance - gain @ covariance[known])))
    return {
        one.id: Length(math.exp(middle[n]), math.exp(middle[n] + Z90 * rest[n]))
        for n, one in enumerate(JOBS)
        if one.id not in done
    }


def told(story: Story, *jobs: str) -> dict[str, Length | None]:
    found = lengths(story.orders, story.night)
    return {name: found[name] for name in jobs} if jobs else found


def test_nothing_is_renewed_before_anything_is_done() -> None:
    story = Story(*JOBS, costs=COSTS)
    expected = {name: Length(cost.seconds or 0, cost.seconds_p90 or 0) for name, cost in COSTS.items()}
    assert told(story) == expected
    story.tried("a-s1", "failed", "oom", seconds=5.0)
    assert told(story) == expected, "a failure says nothing about how long a job takes"
    assert took(story.orders, story.night) is None


@pytest.mark.parametrize(
    "done",
    [
        {"a-s1": 2000.0},
        {"a-s1": 900.0, "a-s2": 1500.0},
        {"a-s1": 2500.0, "a-s2": 2600.0, "b-s1": 1200.0, "c-s3": 900.0},
    ],
)
def test_what_is_left_is_renewed_by_the_exact_conditional_distribution(done: dict[str, float]) -> None:
    story = Story(*JOBS, costs=COSTS)
    for name, seconds in done.items():
        story.tried(name, seconds=seconds)
    for name, expected in by_matrices(done).items():
        found = told(story)[name]
        assert found is not None
        assert (found.p50, found.p90) == pytest.approx((expected.p50, expected.p90))


@pytest.mark.parametrize("took_times", [0.3, 0.9, 3.0])
@pytest.mark.parametrize("certain", [1.0, 1.03, 4.0])
def test_no_job_is_expected_to_be_further_off_than_what_is_done(certain: float, took_times: float) -> None:
    """One of which all were sure took three times as long: others may take that, not a thousand times."""
    costs = {one.id: Cost(1000, 1000 * (1.02 + 0.4 * n)) for n, one in enumerate(JOBS)}
    story = Story(*JOBS, costs=costs | {"b-s1": Cost(1000, 1000 * certain)})
    story.tried("b-s1", seconds=1000 * took_times)
    for name, found in told(story).items():
        assert found is not None
        assert sorted((1000, 1000 * took_times, found.p50))[1] == found.p50, name
    other = told(story)["b-s2"]
    assert other is not None
    assert abs(other.p50 - 1000) > 100 * abs(took_times - 1), "it is told something all the same"


def test_other_seeds_are_told_more_than_other_experiments() -> None:
    story = Story(*JOBS, costs=COSTS)
    story.tried("a-s1", seconds=3000.0)
    found = told(story)
    grown = {name: (found[name] or Length(0, 0)).p50 / (COSTS[name].seconds or 1) for name in found}
    assert grown["a-s2"] > grown["b-s1"] > 1.0
    said = took(story.orders, story.night)
    assert str(said) == "the 1 job done took 3.00 times what was expected"


def test_a_resumed_job_counts_with_all_its_attempts_and_others_are_left_out() -> None:
    story = Story(*JOBS, costs=COSTS)
    story.tried("a-s1", "interrupted", "signal", run="r", seconds=1800.0)
    story.tried("a-s1", run="r", seconds=1200.0)
    once = Story(*JOBS, costs=COSTS)
    once.tried("a-s1", seconds=3000.0)
    assert told(story, "a-s2", "b-s1") == told(once, "a-s2", "b-s1")

    silent = Story(*JOBS, costs=COSTS)
    silent.tried("a-s1", "failed", "oom")
    silent.tried("a-s1", fallback="oom", seconds=9000.0)
    silent.start("b-s1")
    silent.events[-1]["deviations"] = ["window: trainer.max_minutes=5 (…)"]
    silent.tell("end", job="b-s1", attempt=1, state="done", cause=None, run="x", seconds=300.0)
    silent.start("c-s1")
    silent.tell("end", job="c-s1", attempt=1, state="done", cause=None, run="y", seconds=None)
    assert told(silent, "a-s2", "b-s2", "c-s2") == told(Story(*JOBS, costs=COSTS), "a-s2", "b-s2", "c-s2")


def test_a_job_of_unknown_cost_gets_what_another_seed_took_and_none_more_than_its_limit() -> None:
    story = Story(job("a"), job("a", 2, limit_seconds=450.0), job("a", 3), job("b"))
    story.tried("a-s1", seconds=400.0)
    assert told(story, "a-s2", "a-s3", "b-s1") == {
        "a-s2": Length(pytest.approx(400.0), 450.0),  # type: ignore[arg-type]
        "a-s3": Length(pytest.approx(400.0), pytest.approx(520.0)),  # type: ignore[arg-type]
        "b-s1": None,
    }
