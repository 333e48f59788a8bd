from ctexp.planning.packing.pack import Length, Packing, pack
from ctexp.planning.plan.jobs import Job, in_order, jobs_of
from tests.planning.packing.plans import experiment, minutes
from tests.planning.schedule.jobs import plan

HOUR = 3600.0


def packed(jobs: list[Job], of: dict[str, float | tuple[float, float] | None], hours: float) -> Packing:
    return pack(in_order(jobs), minutes(jobs, of), hours * HOUR)


def test_two_short_ones_that_are_worth_more_go_before_a_long_one() -> None:
    jobs = [*experiment("long"), *experiment("one", worth=2.0), *experiment("two", worth=2.0)]

    found = packed(jobs, {"long": 100, "one": 50, "two": 50}, hours=2)

    assert found.order == ("one-s1", "two-s1", "long-s1")
    assert found.chosen == {"one-s1", "two-s1"}
    assert not found.whole


def test_a_long_one_that_is_worth_it_goes_before_two_short_ones() -> None:
    jobs = [*experiment("one"), *experiment("two"), *experiment("long", worth=3.0)]

    assert packed(jobs, {"long": 100, "one": 50, "two": 50}, hours=2).chosen == {"long-s1"}


def test_the_last_seed_of_a_begun_experiment_goes_before_a_new_one() -> None:
    jobs = [*experiment("fresh"), *experiment("begun")]
    lengths = minutes(jobs, {"fresh": 40, "begun": 40})

    assert pack(jobs, lengths, HOUR).chosen == {"fresh-s1"}
    more = [*experiment("fresh", seeds=3), *experiment("begun")]
    lengths = minutes(more, {"fresh": 40, "begun": 40})
    assert pack(more, lengths, HOUR, done={"begun": 2}).chosen == {"begun-s1"}


def test_seeds_that_were_done_before_have_been_counted_already() -> None:
    # A third seed is worth a sixth and the half that completing counts; a new experiment of one seed 0.8.
    jobs = [*experiment("begun"), *experiment("fresh", worth=0.8)]
    lengths = minutes(jobs, {"begun": 40, "fresh": 40})

    assert pack(jobs, lengths, HOUR, done={"begun": 2}).chosen == {"fresh-s1"}
    assert pack(jobs, lengths, HOUR, done={"begun": 1}).chosen == {"fresh-s1"}
    assert pack(jobs, lengths, HOUR).chosen == {"begun-s1"}


def test_a_baseline_is_worth_what_is_judged_by_it() -> None:
    better = {"metric": "val/macro_f1", "better_than": "baseline"}
    of = {
        "base": {},
        "threshold": {"worth": 3.5, "overrides": ["optimizer.lr=0.1"]},
        **{f"x{n}": {"worth": 2.0, "overrides": [f"optimizer.lr=0.0{n}"], "success": better} for n in (1, 2)},
    }
    jobs = in_order(jobs_of(plan(of, baseline="base")))

    found = pack(jobs, minutes(jobs, dict.fromkeys(of, 50)), HOUR)

    assert found.chosen == {"base-s42"}
    assert [job.worth for job in jobs] == [5.0, 3.5, 2.0, 2.0]


def test_an_experiment_is_completed_rather_than_two_are_begun() -> None:
    both = zip(experiment("one", seeds=2), experiment("two", seeds=2), strict=True)
    jobs = [job for pair in both for job in pair]

    found = pack(jobs, minutes(jobs, {"one": 30, "two": 30}), 1.2 * HOUR)

    assert found.order == ("one-s1", "one-s2", "two-s1", "two-s2")
    assert found.chosen == {"one-s1", "one-s2"}


def test_where_all_fits_at_p90_the_order_is_that_of_the_plan() -> None:
    jobs = [*experiment("dull", worth=0.1), *experiment("bright", worth=9.0)]
    of: dict[str, float | tuple[float, float] | None] = {"dull": (30, 60), "bright": (30, 60)}

    assert packed(jobs, of, hours=2) == Packing(
        ("dull-s1", "bright-s1"), frozenset({"dull-s1", "bright-s1"}), True
    )
    less = packed(jobs, of, hours=1.99)
    assert not less.whole
    assert less.order == ("bright-s1", "dull-s1")


def test_pauses_take_their_time() -> None:
    jobs = [*experiment("one"), *experiment("two")]
    lengths = minutes(jobs, {"one": 30, "two": 30})

    assert pack(jobs, lengths, HOUR + 60, pause=60.0).whole, "there is none after the last"
    found = pack(jobs, lengths, HOUR + 59, pause=60.0)
    assert not found.whole
    assert found.chosen == {"one-s1"}


def test_equal_ones_stay_in_the_order_of_the_plan_with_their_seeds_together() -> None:
    jobs = [job for name in "abc" for job in experiment(name, seeds=3)]

    found = packed(jobs, dict.fromkeys("abc", (20, 25)), hours=2)

    assert found.order == tuple(job.id for job in jobs)


def test_a_long_one_that_only_fits_now_goes_before_a_denser_one_that_fits_later() -> None:
    jobs = [*experiment("short", worth=1.5), *experiment("long", worth=3.0)]

    found = packed(jobs, {"short": (20, 25), "long": (60, 90)}, hours=1.6)

    assert found.order == ("long-s1", "short-s1")


def test_what_is_risky_goes_before_what_is_certain_where_both_then_find_time() -> None:
    # 55 minutes first and the wide one has to fit into 65; the wide one first leaves 55 most of the time.
    jobs = [*experiment("certain"), *experiment("wide")]

    found = packed(jobs, {"certain": (55, 55), "wide": (40, 70)}, hours=2)

    assert found.order == ("wide-s1", "certain-s1")


def test_behind_an_undecided_gate_things_count_half_until_it_is_decided() -> None:
    sure, gated = experiment("sure", worth=1.0), experiment("gated", after="seen", worth=1.5)
    seen = experiment("seen", worth=0.0)
    lengths = minutes([*seen, *sure, *gated], {"seen": 15, "sure": 45, "gated": 45})

    assert pack([*seen, *sure, *gated], lengths, HOUR).order == ("sure-s1", "seen-s1", "gated-s1")
    assert pack([*sure, *gated], lengths, HOUR).order == ("gated-s1", "sure-s1")


def test_a_gate_that_is_soon_decided_is_decided_first_where_there_is_time_for_either_outcome() -> None:
    jobs = [
        *experiment("sure"),
        *experiment("seen", worth=0.0),
        *experiment("gated", after="seen", worth=1.5),
    ]

    found = packed(jobs, {"seen": 1, "sure": 50, "gated": 50}, hours=1)

    # Half of the time the gated one is worth 1.5, else there is still room for the sure one.
    assert found.order[0] == "seen-s1"


def test_what_needs_a_gated_one_counts_half_too() -> None:
    gated, follows = (
        experiment("gated", after="seen", worth=0.0),
        experiment("follows", needs=("gated",), worth=1.5),
    )
    jobs = [*experiment("seen", worth=0.0), *gated, *follows, *experiment("sure")]

    found = packed(jobs, {"seen": 1, "gated": 1, "follows": 50, "sure": 59}, hours=1)

    assert found.order[0] == "sure-s1"


def test_a_dull_experiment_is_run_for_the_sake_of_what_waits_for_it() -> None:
    jobs = [*experiment("middling", worth=2.0), *experiment("dull", worth=0.0)]
    jobs += experiment("bright", needs=("dull",), worth=9.0)

    found = packed(jobs, {"middling": 50, "dull": 20, "bright": 30}, hours=1)

    assert found.order == ("dull-s1", "bright-s1", "middling-s1")
    assert found.chosen == {"dull-s1", "bright-s1"}


def test_a_base_waits_for_all_it_may_begin_with() -> None:
    jobs = [*experiment("one", worth=0.1), *experiment("two", worth=0.1)]
    jobs += [*experiment("fine", best_of=("one", "two"), worth=5.0), *experiment("other", worth=2.0)]

    found = packed(jobs, {"one": 20, "two": 20, "fine": 20, "other": 50}, hours=1)

    assert found.order == ("one-s1", "two-s1", "fine-s1", "other-s1")


def test_no_worth_displaces_a_greater_priority() -> None:
    jobs = [*experiment("bright", worth=100.0), *experiment("first", priority=1, worth=0.1)]

    found = packed(jobs, {"bright": 40, "first": 50}, hours=1)

    assert found.order == ("first-s1", "bright-s1")
    assert found.chosen == {"first-s1"}


def test_what_a_greater_priority_waits_for_goes_with_it() -> None:
    jobs = [*experiment("bright", worth=100.0), *experiment("before", worth=0.0)]
    jobs += experiment("first", priority=1, needs=("before",), worth=0.1)

    assert packed(jobs, {"bright": 40, "before": 10, "first": 30}, hours=1).order == (
        *("before-s1", "first-s1"),
        "bright-s1",
    )


def test_what_has_no_room_holds_nobody_up_whatever_its_priority() -> None:
    jobs = [*experiment("bright"), *experiment("before", worth=0.0)]
    jobs += experiment("first", priority=1, needs=("before",))

    found = packed(jobs, {"bright": 40, "before": 30, "first": 50}, hours=1)

    assert found.order == ("bright-s1", "before-s1", "first-s1")
    assert found.chosen == {"bright-s1"}


def test_what_may_be_shortened_takes_what_the_others_leave() -> None:
    jobs = [*experiment("long", shorten=True, worth=5.0), *experiment("one"), *experiment("two", seeds=3)]

    found = packed(jobs, {"long": 100, "one": 30, "two": 50}, hours=1)

    assert found.order == ("one-s1", "long-s1", "two-s1", "two-s2", "two-s3")
    assert found.chosen == {"one-s1", "long-s1"}
    assert packed(jobs, {"long": 100, "one": 59.5, "two": 70}, hours=1).chosen == {"one-s1"}


def test_what_may_be_shortened_keeps_its_priority() -> None:
    jobs = [*experiment("one"), *experiment("long", shorten=True, priority=1)]

    found = packed(jobs, {"long": 100, "one": 30}, hours=1)

    assert found.order == ("long-s1", "one-s1")
    assert found.chosen == {"long-s1"}


def test_a_job_of_unknown_length_is_planned_with_the_median_of_the_others() -> None:
    jobs = [*experiment("unknown"), *experiment("one", worth=2.0), *experiment("two", worth=0.9)]

    found = packed(jobs, {"unknown": None, "one": 40, "two": 20}, hours=1.2)

    # 40, 20 and 30 for the unknown one: more than an hour's worth, and the dullest per minute is it.
    assert not found.whole
    assert found.order == ("one-s1", "two-s1", "unknown-s1")
    assert found.chosen == {"one-s1", "two-s1", "unknown-s1"}, "a minute is enough to begin it"
    assert packed(jobs, {"unknown": None, "one": 40, "two": 20}, hours=1).chosen == {"one-s1", "two-s1"}


def test_nothing_known_keeps_the_order_of_the_plan() -> None:
    jobs = [*experiment("dull", worth=0.1), *experiment("bright", worth=9.0)]

    assert packed(jobs, {"dull": None, "bright": None}, hours=1).order == ("dull-s1", "bright-s1")


def test_without_a_window_everything_is_chosen() -> None:
    jobs = [*experiment("dull", worth=0.1), *experiment("bright", worth=9.0)]

    found = pack(jobs, {job.id: Length(9e9, 9e9) for job in jobs}, None)

    assert found == Packing(("dull-s1", "bright-s1"), frozenset({"dull-s1", "bright-s1"}), True)


def test_without_jobs_or_time_nothing_is_chosen() -> None:
    jobs = experiment("one", seeds=2)

    assert pack([], {}, 0.0, pause=5.0).order == ()
    found = pack(jobs, minutes(jobs, {"one": 1}), -3.0)
    assert (found.order, found.chosen) == (("one-s1", "one-s2"), frozenset())
