"""What is reckoned with for a job: a lognormal distribution with its p50 and p90."""

import numpy as np
import pytest
from scipy.stats import lognorm, norm

from ctexp.planning.packing.lengths import Length, Planned, planned
from ctexp.planning.plan.jobs import LEAST_SECONDS
from tests.planning.packing.plans import experiment


@pytest.mark.parametrize(("p50", "p90"), [(600.0, 900.0), (60.0, 240.0)])
def test_mean_and_variance_are_those_of_the_distribution(p50: float, p90: float) -> None:
    jobs = experiment("one")

    [found] = planned(jobs, {"one-s1": Length(p50, p90)})

    sigma = np.log(p90 / p50) / 1.2815515655446004
    its = lognorm(sigma, scale=p50)
    assert its.ppf(0.9) == pytest.approx(p90)
    assert (found.needed, found.p50, found.p90) == (p90, p50, p90)
    assert found.mean == pytest.approx(its.mean())
    assert found.variance == pytest.approx(its.var())


def test_the_mean_is_never_more_than_nine_of_ten_jobs_take() -> None:
    # Of a lognormal distribution it is exactly that where sigma is twice the ninth decile's z.
    widest = 60.0 * np.exp(2 * norm.ppf(0.9) ** 2)
    [at] = planned(experiment("one"), {"one-s1": Length(60.0, widest)})
    assert at.mean == pytest.approx(at.p90)
    [wider] = planned(experiment("one"), {"one-s1": Length(60.0, 100 * widest)})
    assert wider.mean == pytest.approx(at.mean)
    assert wider.variance == pytest.approx(at.variance)
    [sure] = planned(experiment("one"), {"one-s1": Length(60.0, 60.0)})
    assert sure == Planned(60.0, 60.0, 60.0, 60.0, 0.0)
    [turned] = planned(experiment("one"), {"one-s1": Length(60.0, 30.0)})
    assert (turned.p90, turned.variance) == (60.0, 0.0)
    [nothing] = planned(experiment("one"), {"one-s1": Length(0.0, 30.0)})
    assert nothing == Planned(30.0, 0.0, 30.0, 0.0, 0.0)


def test_what_nobody_knows_is_as_long_as_half_of_the_others() -> None:
    jobs = experiment("one", seeds=4)
    known = {"one-s1": Length(100.0, 200.0), "one-s2": Length(300.0, 300.0), "one-s4": Length(110.0, 210.0)}

    found = planned(jobs, known)

    assert (found[2].needed, found[2].p50, found[2].p90) == (LEAST_SECONDS, 110.0, 210.0)
    [alone] = planned(jobs[:1], {})
    assert (alone.needed, alone.p50, alone.p90) == (LEAST_SECONDS,) * 3


def test_spread_over_places_it_takes_a_part_of_each_but_as_much_room() -> None:
    spread = Planned(9.0, 4.0, 8.0, 5.0, 12.0).spread_over(2.0)
    assert spread == Planned(9.0, 2.0, 8.0, 2.5, 3.0)
