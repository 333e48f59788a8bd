"""Worth and time of an order, reckoned by hand."""

import pytest
from scipy.stats import norm

from ctexp.planning.packing.lengths import Planned
from ctexp.planning.packing.questions import Question, questions
from ctexp.planning.packing.reckoning import Point, Reckoning
from tests.planning.packing.plans import experiment

SURE = Planned(needed=10.0, p50=10.0, p90=10.0, mean=10.0, variance=0.0)


def question(
    jobs: int = 1, planned: Planned = SURE, parents: tuple[int, ...] = (), **fields: object
) -> Question:
    its = {
        "jobs": list(range(jobs)),
        "planned": [planned] * jobs,
        "p50": jobs * planned.p50,
        "parents": list(parents),
        "ancestors": frozenset(parents),
        "of_seed": 0.5 / jobs,
        "of_all": 0.5,
        "chance": 1.0,
        "shorten": False,
        "level": 0,
        "possible": True,
    }
    return Question(**its | fields)  # type: ignore[arg-type]


def test_seeds_count_a_share_and_the_last_one_the_rest() -> None:
    reckoning = Reckoning([question(2), question(parents=(0,))], seconds=21.0, pause=1.0)
    assert reckoning.go(Point(), [0]) == Point(22.0, 0.0, 1.0, {0: 1.0})
    late = reckoning.go(Point(mean=0.5), [0, 1])
    assert late == Point(11.5, 0.0, 0.25, {0: 0.0, 1: 0.0}), "the second has no room, and what waits none"
    assert reckoning.go(Point(), [1]) == Point(0.0, 0.0, 0.0, {1: 0.0}), "not before what it waits for"


def test_what_is_behind_a_gate_counts_and_takes_half() -> None:
    wide = SURE._replace(variance=4.0)
    found = Reckoning([question(planned=wide, chance=0.5)], seconds=99.0, pause=2.0).go(Point(), [0])
    assert (found.mean, found.worth) == (6.0, 0.5)
    assert found.variance == 0.5 * (4.0 + 0.5 * 12.0**2)


@pytest.mark.parametrize("deviations", [-3.9, -1.0, 0.0, 1.0, 3.9])
def test_a_job_is_begun_as_likely_as_its_room_is_left(deviations: float) -> None:
    reckoning = Reckoning([question()], seconds=10.0 + 3.0 * deviations, pause=0.0)
    found = reckoning.go(Point(variance=9.0), [0])
    assert found.begun[0] == pytest.approx(norm.cdf(deviations))
    assert found.worth == pytest.approx(norm.cdf(deviations))


def test_orders_are_by_worth_per_minute_each_after_what_it_waits_for() -> None:
    dull, dense, waits = question(of_all=0.1), question(of_all=0.9), question(parents=(0,), of_all=3.0)
    reckoning = Reckoning([dull, dense, waits], seconds=99.0, pause=0.0)
    assert reckoning.by_density([0, 1, 2]) == [0, 2, 1]
    assert reckoning.by_density([0, 1]) == [1, 0]
    assert Reckoning([dull, dull, dull], 99.0, 0.0).by_density([0, 1, 2]) == [0, 1, 2]
    long = question(planned=SURE._replace(mean=20.0), of_all=0.9)
    assert Reckoning([long, dense], 99.0, 0.0).by_density([0, 1]) == [1, 0]


def test_experiments_know_what_they_wait_for_and_what_they_are_worth() -> None:
    jobs = [
        *experiment("seen", worth=2.0),
        *experiment("gated", after="seen", seeds=2, worth=4.0),
        *experiment("deeper", after="gated", needs=("seen",), priority=3),
        *experiment("large", priority=9),
    ]
    planned = [SURE, SURE, SURE, SURE, SURE._replace(needed=1e9)]

    seen, gated, deeper, large = questions(jobs, planned, {"gated": 2}, seconds=60.0, pause=1.0)

    assert (seen.jobs, gated.jobs, gated.p50) == ([0], [1, 2], 22.0)
    assert (gated.of_seed, gated.of_all) == (0.5 * 4.0 / 4, 2.0)
    assert [one.chance for one in (seen, gated, deeper)] == [1.0, 0.5, 0.25]
    assert (deeper.parents, deeper.ancestors) == ([0, 1], frozenset({0, 1}))
    assert [one.level for one in (seen, gated, deeper)] == [3, 3, 3]
    assert [one.possible for one in (seen, gated, deeper, large)] == [True, True, True, False]
    assert not any(one.possible for one in questions(jobs, planned, {}, seconds=9.0, pause=1.0))


def test_what_waits_has_to_find_room_behind_what_it_waits_for() -> None:
    jobs = [*experiment("before", seeds=2), *experiment("after", needs=("before",))]
    for seconds, possible in ((32.0, True), (31.9, False)):  # twice ten and a pause, and ten
        *_, after = questions(jobs, [SURE] * 3, {}, seconds=seconds, pause=1.0)
        assert after.possible == possible
    circle = [*experiment("one", needs=("two",)), *experiment("two", needs=("one",))]
    assert not any(one.possible for one in questions(circle, [SURE] * 2, {}, seconds=99.0, pause=0.0))
    [gone] = questions(experiment("left", needs=("gone",)), [SURE], {}, seconds=10.0, pause=0.0)
    assert gone.possible, "what is not among the jobs is over"
