"""What comes next where there is too little time, or too little disk, for all of it."""

from ctexp.queue.deciding.choose import left_to_do
from ctexp.queue.deciding.verdicts import Begin, Choice, Decide, Skip, Stop
from ctexp.queue.orders import Cost
from tests.queue.stories import Story
from tests.queue.written import gated, job

A, B = job("a"), job("b")
GB = 10**9

HOUR = 3600.0
COSTS = {"a-s1": Cost(2000, HOUR, None, 2 * GB), "b-s1": Cost(600, 900, None, GB)}


def test_what_cannot_finish_gives_way_to_what_is_shorter_and_is_skipped_at_the_end() -> None:
    story = Story(A, B, costs=COSTS)
    story.begin(closes_uptime=10_000.0)
    # 600 s are the analysis's.
    assert story.choice(uptime=10_000 - 600 - HOUR - 900) == Choice((), Begin("a-s1")), "both fit"
    late = story.choice(uptime=10_000 - 600 - HOUR + 60)
    assert late == Choice((), Begin("b-s1")), "nothing is given up as long as others can use the window"
    story.tried("b-s1", seconds=600)
    [skip] = story.choice(uptime=10_000 - 600 - 3000).skips
    assert (skip.job, skip.why) == ("a-s1", "window")
    # Renewed: one that took what was expected makes the others' p90 a little less.
    assert skip.reason == "needs 58 min 24 s (p90), 50 min 00 s are left"
    story.skip("a-s1", "window")
    assert story.choice(uptime=0.0) == Choice((), None), "it is not looked at again in this start"
    story.begin(closes_uptime=100_000.0)
    assert story.choice(uptime=0.0).then == Begin("a-s1")


def test_the_grace_of_a_job_that_is_stopped_and_the_pause_after_the_last_one_are_no_time_for_jobs() -> None:
    story = Story(A, costs=COSTS, grace_seconds=120.0, pause_seconds=30.0)
    story.begin(closes_uptime=10_000.0)
    latest = 10_000 - 600 - 120 - HOUR
    assert story.choice(uptime=latest).then == Begin("a-s1")
    assert story.choice(uptime=latest + 1).skips[0].why == "window"
    story.tried("a-s1", "failed", "other", uptime=latest - 29)
    assert story.choice(uptime=latest - 29).skips[0].why == "window"


FOUR = {name: Cost(1000, 1200) for name in ("a-s1", "b-s1", "c-s1", "d-s1")}


def test_the_window_is_meant_for_what_is_worth_most_and_the_plans_order_stays_where_all_fits() -> None:
    story = Story(A, job("b", worth=9), job("c", worth=9), job("d", worth=9), costs=FOUR)
    story.begin(closes_uptime=600 + 4800.0)
    assert story.choice(uptime=0).then == Begin("a-s1")
    assert story.choice(uptime=1).then == Begin("b-s1")
    assert story.choice(uptime=1).packed is not None


def test_a_priority_and_what_it_waits_for_come_before_any_worth() -> None:
    story = Story(A, job("b", worth=9), job("c", needs=("a",), priority=1, worth=0.1), costs=FOUR)
    story.begin(closes_uptime=600 + 2600.0)
    assert story.choice().then == Begin("a-s1")
    story.tried("a-s1", seconds=1000)
    assert story.choice(uptime=1000).then == Begin("c-s1")


def test_what_jobs_took_renews_what_is_packed() -> None:
    """Two jobs would still fit by the plan's estimates, and only the shorter one by what this night shows."""
    costs = FOUR | {"d-s1": Cost(500, 600)}
    story = Story(A, B, job("c", worth=4), job("d", worth=2), costs=costs)
    story.begin(closes_uptime=600 + 10_000.0)
    for name in ("a-s1", "b-s1"):
        story.tried(name, seconds=2000)
    assert story.choice(uptime=10_000 - 1300).then == Begin("d-s1")
    slow = story.choice(uptime=10_000 - 700)
    assert slow.skips[0].reason.startswith("needs ")
    assert slow.then is None


def test_what_waits_in_vain_is_not_packed() -> None:
    """A seed of `a` is lost: the other serves nothing but itself, and what needs `a` has no part in it."""
    costs = FOUR | {"a-s2": Cost(1000, 1200)}
    story = Story(A, job("a", 2), job("b", needs=("a",), worth=50), job("c", worth=2), costs=costs)
    story.tried("a-s1", "failed", "oom")
    story.begin(closes_uptime=600 + 1300.0)
    assert story.choice().then == Begin("c-s1")


def test_a_gate_that_can_be_decided_is_before_anything_is_packed() -> None:
    story = Story(A, job("b", worth=9), gated("c", "a"), costs=FOUR)
    story.begin(closes_uptime=600 + 2000.0)
    story.tried("a-s1", seconds=1000)
    assert story.choice().then == Decide("gate", "c")


def test_a_job_is_begun_that_may_be_shortened_while_there_is_a_minute() -> None:
    story = Story(job("a", shorten=True), costs=COSTS)
    story.begin(closes_uptime=1000.0)
    assert story.choice(uptime=340.0).then == Begin("a-s1")
    assert story.choice(uptime=341.0).skips[0].why == "window"


def test_a_job_that_needs_less_than_a_minute_is_not_kept_from_it_by_being_shortenable() -> None:
    story = Story(job("a", shorten=True), costs={"a-s1": Cost(15, 20)})
    story.begin(closes_uptime=1000.0)
    assert story.choice(uptime=375.0).then == Begin("a-s1")
    assert story.choice(uptime=385.0).skips[0].why == "window"


def test_a_job_of_unknown_cost_needs_a_minute() -> None:
    story = Story(A)
    story.begin(closes_uptime=1000.0)
    assert story.choice(uptime=340.0).then == Begin("a-s1")
    late = story.choice(uptime=350.0).skips[0]
    assert late == Skip("a-s1", "window", "needs at least 1 min 00 s (its cost is unknown), 50 s are left")


def test_no_job_needs_more_than_its_limit_or_than_what_is_left_of_it() -> None:
    story = Story(job("a", limit_seconds=900.0), costs=COSTS)
    story.begin(closes_uptime=10_000.0)
    assert story.choice(uptime=10_000 - 600 - 900).then == Begin("a-s1")

    story = Story(A, costs=COSTS)
    story.tried("a-s1", "interrupted", "window", run="r", seconds=HOUR - 300)
    story.begin(closes_uptime=10_000.0)
    assert story.choice(uptime=10_000 - 600 - 300).then == Begin("a-s1")
    assert story.choice(uptime=10_000 - 600 - 299).skips[0].why == "window"


def test_what_waits_for_a_job_left_by_the_window_is_left_too() -> None:
    story = Story(A, gated("b", "a"), costs=COSTS)
    story.begin(closes_uptime=700.0)
    skips = story.choice().skips
    assert [(skip.job, skip.why) for skip in skips] == [("a-s1", "window"), ("b-s1", "window")]
    assert skips[1].reason == "waits for a-s1, which is left for another start"
    for skip in skips:
        story.skip(skip.job, skip.why)
    assert story.choice() == Choice((), None)
    assert left_to_do(story.orders, story.night) == ["a-s1", "b-s1"]


def test_the_night_ends_before_the_disk_is_full() -> None:
    story = Story(A, B, costs=COSTS)
    assert story.choice(free=7 * GB).then == Begin("a-s1")
    stop = story.choice(free=7 * GB - 1).then
    assert isinstance(stop, Stop)
    assert stop.exit_code == 5
    lacking = "/runs: 7.0 GB are free, a-s1 needs 2.0 GB, and 5.0 GB are to stay free"
    assert stop.reason == f"{lacking}: free some space (scripts/inv prune), or lower reserve.disk"
    story.tried("a-s1")
    assert story.choice(free=6 * GB).then == Begin("b-s1")
