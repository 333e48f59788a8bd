"""Several jobs at once: each place has its own time, and a job waits for those it needs wherever they run."""

import pytest

from ctexp.planning.packing.pack import Packing, pack
from ctexp.planning.plan.jobs import Job, in_order
from tests.planning.packing.plans import experiment, minutes

HOUR = 3600.0


def packed(
    jobs: list[Job], of: dict[str, float | tuple[float, float] | None], *lanes: float, pause: float = 0.0
) -> Packing:
    """In so many minutes on each place, with minutes between two jobs."""
    seconds = [60 * lane for lane in lanes]
    return pack(in_order(jobs), minutes(jobs, of), max(seconds), pause=60 * pause, lanes=seconds)


def test_two_places_hold_what_one_does_not() -> None:
    jobs = [*experiment("one"), *experiment("two")]
    of: dict[str, float | tuple[float, float] | None] = {"one": (30, 60), "two": (30, 60)}

    assert not packed(jobs, of, 60).whole
    assert packed(jobs, of, 60, 60).whole
    assert not packed(jobs, of, 60, 59.9).whole, "the second one has less time"


def test_a_place_takes_one_job_after_another_with_a_pause_between() -> None:
    jobs = experiment("one", seeds=4)

    assert packed(jobs, {"one": 29}, 60, 60, pause=2).whole, "there is none after the last"
    assert not packed(jobs, {"one": 29.1}, 60, 60, pause=2).whole
    assert packed(experiment("one", seeds=3), {"one": 30}, 60, 30).whole
    assert not packed(experiment("one", seeds=3), {"one": 30.1}, 60, 30.1).whole


def test_a_free_place_does_not_hasten_what_waits_for_another() -> None:
    jobs = [*experiment("before"), *experiment("after", needs=("before",))]
    of: dict[str, float | tuple[float, float] | None] = {"before": 40, "after": 30}

    assert packed(jobs, of, 70, 70).whole
    found = packed(jobs, of, 69, 69)
    assert not found.whole
    assert found.chosen == {"before-s1"}
    seeds = [*experiment("before", seeds=2), *experiment("after", needs=("before",))]
    assert not packed(seeds, {"before": 40, "after": 30}, 69, 69).whole, "all seeds of it are waited for"


def test_the_places_are_given_to_what_is_worth_most() -> None:
    jobs = [*experiment("dull"), *experiment("better", worth=2.0), *experiment("best", worth=3.0)]
    of: dict[str, float | tuple[float, float] | None] = {"dull": 50, "better": 50, "best": 50}

    found = packed(jobs, of, 60, 60)

    assert found.order == ("best-s1", "better-s1", "dull-s1")
    assert found.chosen == {"best-s1", "better-s1"}
    assert packed(jobs, of, 60, 40).chosen == {"best-s1"}


@pytest.mark.parametrize("pause", [0.0, 10.0])
def test_what_only_several_places_can_complete_is_reckoned_as_complete(pause: float) -> None:
    """One place has time for one seed of the pair, which is worth a quarter of it; two have time for both."""
    jobs = [*experiment("pair", seeds=2), *experiment("one", worth=0.45), *experiment("two", worth=0.45)]
    of: dict[str, float | tuple[float, float] | None] = {"pair": 45, "one": 45, "two": 45}

    assert packed(jobs, of, 80, 80, pause=pause).chosen == {"pair-s1", "pair-s2"}
    assert packed(jobs, of, 80, pause=pause).chosen == {"one-s1"}


@pytest.mark.parametrize(("two", "begun"), [(40.0, True), (59.5, False)])
def test_what_may_be_shortened_takes_the_place_that_is_free_first(two: float, begun: bool) -> None:
    jobs = [*experiment("one"), *experiment("two"), *experiment("long", shorten=True, worth=0.1)]

    found = packed(jobs, {"one": 59.5, "two": two, "long": 200}, 60, 60)

    assert ("long-s1" in found.chosen) == begun
    assert found.order[-1] == "long-s1"
