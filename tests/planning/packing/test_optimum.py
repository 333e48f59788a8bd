"""Beside the best that any choice can have, computed exactly on small nights."""

import random

import pytest

from benchmarks.packing_nights import SmallNight, State, Trial, by_pack, in_plan_order, small_night


def test_the_optimum_of_a_night_that_can_be_reckoned_by_hand() -> None:
    # One job: of its four durations only the longest, one in ten, is beyond the window.
    one = Trial(worth=2.0, seeds=1, p50=10, p90=15)
    assert [duration for duration, _ in one.durations] == [6, 8, 12, 17]
    assert SmallNight([one], window=16).optimum() == pytest.approx((1.8,))
    # Its p90 is not left: it is not begun.
    assert SmallNight([one], window=14).optimum() == (0.0,)
    # Of two seeds there is time for one: half of its share.
    two = Trial(worth=2.0, seeds=2, p50=10, p90=10)
    assert SmallNight([two], window=12).optimum() == pytest.approx((0.5,))
    # What is behind a gate is done half of the time.
    gated = Trial(worth=4.0, seeds=1, p50=3, p90=3, gate=0)
    assert SmallNight([Trial(worth=1.0, seeds=1, p50=3, p90=3), gated], window=9).optimum() == pytest.approx(
        (3.0,)
    )


def test_no_choice_is_better_than_the_optimum() -> None:
    for seed in range(3):
        night = small_night(random.Random(seed))
        draw = random.Random(seed)

        def anyhow(of: SmallNight, state: State, time: int, draw: random.Random = draw) -> int | None:
            left = [job.id for job in of.left(state)]
            return of.first(draw.sample(left, len(left)), state, time)

        (best,) = night.optimum()
        for choice in (by_pack, in_plan_order, anyhow):
            (reached,) = night.worth(choice)
            assert 0.0 <= reached <= best + 1e-6


def test_packing_reaches_nearly_the_optimum() -> None:
    nights = [small_night(random.Random(1000 + seed)) for seed in range(8)]
    best = [night.optimum()[0] for night in nights]
    packed = [night.worth(by_pack)[0] for night in nights]
    in_order = [night.worth(in_plan_order)[0] for night in nights]

    assert sum(packed) >= 0.97 * sum(best)
    assert all(one >= 0.8 * most for one, most in zip(packed, best, strict=True))
    assert sum(in_order) < 0.9 * sum(best)


def test_with_priorities_the_greatest_gets_nearly_all_it_can() -> None:
    nights = [small_night(random.Random(2000 + seed), priorities=True) for seed in range(6)]

    best = sum(night.optimum()[0] for night in nights)

    assert sum(night.worth(by_pack)[0] for night in nights) >= 0.97 * best
