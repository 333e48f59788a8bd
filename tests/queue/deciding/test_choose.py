import pytest

from ctexp.planning.plan.jobs import Job
from ctexp.queue.deciding.choose import left_to_do
from ctexp.queue.deciding.verdicts import Begin, Choice, Decide, Held, Left, Over, Running, Skip
from tests.queue.stories import Story
from tests.queue.written import based, gated, job

A, B = job("a"), job("b")
NEEDY = job("b", needs=("a",))

FALLBACKS = dict.fromkeys(("oom", "diverged", "timeout", "data", "other"), ("x=1",))


def test_the_first_job_is_begun_and_the_next_when_that_is_done() -> None:
    story = Story(A, B)
    assert story.choice() == Choice((), Begin("a-s1"))
    story.start("a-s1")
    assert story.verdicts() == {"a-s1": Running(), "b-s1": Begin("b-s1")}
    story.tell("end", job="a-s1", attempt=1, state="done", cause=None)
    assert story.verdicts() == {"a-s1": Over(done=True), "b-s1": Begin("b-s1")}
    story.tried("b-s1")
    assert story.choice() == Choice((), None)


ONCE_MORE = Begin("a-s1")
LOST = Over(done=False)


@pytest.mark.parametrize(
    ("state", "cause", "verdict"),
    [
        ("failed", "killed", ONCE_MORE),
        ("failed", "hung", ONCE_MORE),
        ("failed", "other", ONCE_MORE),
        ("failed", "oom", LOST),
        ("failed", "diverged", LOST),
        ("failed", "data", LOST),
        ("failed", "usage", LOST),
        ("failed", None, LOST),
        ("failed", "cancelled", LOST),
        ("timeout", "limit", LOST),
        ("failed", "disk", Left("need")),
        ("failed", "busy", Left("need")),
        ("failed", "preflight", Left("need")),
        ("interrupted", "signal", ONCE_MORE),
        ("interrupted", "killed", ONCE_MORE),
        ("interrupted", "window", Left("window")),
    ],
)
def test_what_follows_an_attempt_that_ended_in_this_start(state: str, cause: str, verdict: object) -> None:
    story = Story(A)
    story.tried("a-s1", state, cause)
    assert story.verdicts()["a-s1"] == verdict


@pytest.mark.parametrize("exit_code", [2, 3])
def test_a_run_that_cannot_be_gone_on_with_is_begun_anew_once(exit_code: int) -> None:
    """Its checkpoints were damaged, by a power failure for example: it is no fault of the job."""
    story = Story(A)
    story.tried("a-s1", "interrupted", "killed", run="a_1")
    story.begin()
    number = story.start("a-s1", run="a_1")
    refused = {"state": "failed", "cause": "data", "exit_code": exit_code, "run": "a_1", "seconds": 1.0}
    story.tell("end", job="a-s1", attempt=number, **refused)
    assert story.verdicts()["a-s1"] == ONCE_MORE
    number = story.start("a-s1")
    story.tell("end", job="a-s1", attempt=number, **refused)
    assert story.verdicts()["a-s1"] == LOST


@pytest.mark.parametrize(
    ("state", "cause"),
    [("interrupted", "window"), ("interrupted", "signal"), ("interrupted", "killed")]
    + [("failed", cause) for cause in ("disk", "busy", "preflight")],
)
def test_the_next_start_takes_up_what_was_not_the_jobs_fault(state: str, cause: str) -> None:
    story = Story(A)
    for _ in range(4):
        story.tried("a-s1", state, cause)
        story.begin()
        assert story.choice() == Choice((), ONCE_MORE)


@pytest.mark.parametrize("cause", ["oom", "diverged", "data", "usage", "hung", "other", "killed"])
def test_the_next_start_leaves_final_failures_alone(cause: str) -> None:
    story = Story(A, retries=0)
    story.tried("a-s1", "failed", cause)
    story.begin()
    assert story.choice() == Choice((), None)
    assert left_to_do(story.orders, story.night) == []


def test_an_attempt_nobody_saw_end_is_taken_up_once_it_is_settled() -> None:
    story = Story(A)
    story.start("a-s1")
    story.begin()
    assert story.verdicts()["a-s1"] == Running()
    story.tell("end", job="a-s1", attempt=1, state="interrupted", cause="killed")
    assert story.verdicts()["a-s1"] == ONCE_MORE


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_retries_are_counted_then_the_fallback_has_its_own(retries: int) -> None:
    story = Story(job("a", fallback=FALLBACKS), retries=retries)
    for _ in range(1 + retries):
        assert story.verdicts()["a-s1"] == ONCE_MORE
        story.tried("a-s1", "failed", "killed")
    for _ in range(1 + retries):
        assert story.verdicts()["a-s1"] == Begin("a-s1", "other")
        story.tried("a-s1", "failed", "other", fallback="other")
    assert story.verdicts()["a-s1"] == LOST


def test_interruptions_within_one_start_end_too() -> None:
    story = Story(A, retries=2)
    for _ in range(3):
        assert story.verdicts()["a-s1"] == ONCE_MORE
        story.tried("a-s1", "interrupted", "killed")
    assert story.verdicts()["a-s1"] == Left("window")
    story.begin()
    assert story.verdicts()["a-s1"] == ONCE_MORE


@pytest.mark.parametrize(
    ("state", "cause", "kind"),
    [
        ("failed", "oom", "oom"),
        ("failed", "diverged", "diverged"),
        ("failed", "data", "data"),
        ("timeout", "limit", "timeout"),
        ("failed", "hung", "timeout"),
        ("failed", "killed", "other"),
        ("failed", "other", "other"),
        ("failed", "usage", "other"),
    ],
)
def test_each_kind_of_failure_has_its_fallback_once(state: str, cause: str, kind: str) -> None:
    story = Story(job("a", fallback=FALLBACKS), retries=0)
    story.tried("a-s1", state, cause)
    assert story.verdicts()["a-s1"] == Begin("a-s1", kind)
    assert Begin("a-s1", kind).key == f"a-s1:{kind}"
    story.tried("a-s1", "interrupted", "signal", fallback=kind)
    story.begin()
    assert story.verdicts()["a-s1"] == Begin("a-s1", kind), "an interrupted fallback is gone on with"
    story.tried("a-s1", state, cause, fallback=kind)
    assert story.verdicts()["a-s1"] == LOST


def test_a_fallback_that_fails_otherwise_has_the_fallback_of_that() -> None:
    story = Story(job("a", fallback=FALLBACKS))
    story.tried("a-s1", "failed", "oom")
    story.tried("a-s1", "failed", "diverged", fallback="oom")
    assert story.verdicts()["a-s1"] == Begin("a-s1", "diverged")
    story.tried("a-s1", "failed", "oom", fallback="diverged")
    assert story.verdicts()["a-s1"] == LOST


def test_a_job_without_a_fallback_of_its_kind_is_lost() -> None:
    story = Story(job("a", fallback={"oom": ("x=1",)}))
    story.tried("a-s1", "failed", "diverged")
    assert story.verdicts()["a-s1"] == LOST


def test_dropped_jobs_are_over_whenever_that_was_said() -> None:
    story = Story(A)
    story.tell("cancel", job="a-s1", by="me")
    assert story.choice() == Choice((), None)
    story.begin()
    assert story.choice() == Choice((), None)

    story = Story(A)
    story.start("a-s1")
    story.tell("cancel", job="a-s1", by="me")
    story.tell("end", job="a-s1", attempt=1, state="interrupted", cause="cancelled")
    assert story.choice() == Choice((Skip("a-s1", "cancelled", "dropped by hand"),), None)
    story.skip("a-s1", "cancelled")
    story.begin()
    assert story.choice() == Choice((), None)
    assert story.night.jobs["a-s1"].state == "skipped"

    story = Story(A)
    story.start("a-s1")
    story.tell("cancel", job="a-s1", by="me")
    story.tell("end", job="a-s1", attempt=1, state="failed", cause="killed")
    assert story.choice() == Choice((), None), "what has failed stays failed, and is not tried again"


def test_needs_hold_until_every_seed_is_done() -> None:
    story = Story(A, job("a", 2), NEEDY)
    assert story.verdicts()["b-s1"] == Held(("a-s1", "a-s2"))
    story.tried("a-s1")
    assert story.verdicts()["b-s1"] == Held(("a-s2",))
    story.tried("a-s2", "failed", "killed")
    assert story.verdicts()["b-s1"] == Held(("a-s2",)), "it is tried once more"
    story.tried("a-s2")
    assert story.verdicts()["b-s1"] == Begin("b-s1")


def test_what_needs_a_lost_job_is_skipped_and_what_needs_that_too() -> None:
    story = Story(A, NEEDY, job("c", needs=("b",)))
    story.tried("a-s1", "failed", "oom")
    lost = Skip("b-s1", "need", "needs a: a-s1 ended as failed (oom)")
    choice = story.choice()
    assert choice == Choice((lost, Skip("c-s1", "need", "needs b: b-s1 was skipped")), None)
    story.skip("b-s1", "need")
    story.skip("c-s1", "need")
    assert story.choice() == Choice((), None), "said once"
    story.begin()
    assert story.choice() == Choice((), None), "and it stands"


def test_a_skip_for_a_need_is_taken_back_when_the_need_can_be_met_after_all() -> None:
    story = Story(A, NEEDY)
    story.tried("a-s1", "failed", "busy")
    assert story.choice().skips[0].why == "need"
    story.skip("b-s1", "need")
    story.begin()
    assert story.choice().then == Begin("a-s1")
    story.tried("a-s1")
    assert story.choice() == Choice((), Begin("b-s1"))


def test_a_gate_is_decided_once_all_seeds_are_over_and_holds_until_then() -> None:
    story = Story(A, job("a", 2), gated("b", "a"))
    story.tried("a-s1")
    assert story.verdicts()["b-s1"] == Held(("a-s2",))
    story.tried("a-s2", "failed", "oom")
    assert story.choice() == Choice((), Decide("gate", "b"))
    story.gate("b", passed=True)
    assert story.choice() == Choice((), Begin("b-s1"))


def test_a_gate_that_is_not_passed_skips_with_what_was_seen() -> None:
    story = Story(A, gated("b", "a"), job("c", needs=("b",)))
    story.tried("a-s1")
    story.gate("b", passed=False)
    reason = "val/macro_f1 of a is 0.5, not >= 0.7"
    assert story.choice().skips == (
        Skip("b-s1", "gate", reason),
        Skip("c-s1", "need", "needs b: b-s1 was skipped"),
    )
    story = Story(A, gated("b", "a"))
    story.tried("a-s1", "failed", "oom")
    story.gate("b", passed=False, observed=None)
    assert story.choice().skips[0].reason == "val/macro_f1 of a is not known: no finished run tells"


def test_a_decision_is_made_anew_when_its_ground_has_moved_but_not_once_it_was_acted_upon() -> None:
    story = Story(A, job("a", 2), gated("b", "a"))
    story.tried("a-s1")
    story.tried("a-s2", "failed", "busy")
    assert story.choice().skips[0].why == "need", "a seed is left: nothing is decided by the others"
    story.begin()
    story.tried("a-s2")
    story.gate("b", passed=True)
    story.tried("b-s1", "interrupted", "signal")
    story.tell("cancel", job="a-s2", by="me")  # news of a job it was made from
    story.begin()
    assert story.verdicts()["b-s1"] == Begin("b-s1")

    story = Story(A, job("a", 2), gated("b", "a"))
    story.tried("a-s1")
    story.tried("a-s2", "failed", "oom")
    story.gate("b", passed=False)
    story.skip("b-s1", "gate")
    assert story.choice() == Choice((), None)
    story.tried("a-s2", fallback="oom")
    assert story.choice() == Choice((), Decide("gate", "b"))
    story.gate("b", passed=True)
    assert story.choice() == Choice((), Begin("b-s1"))


def test_a_base_is_decided_when_all_its_candidates_are_over() -> None:
    story = Story(A, B, based("c", "a", "b"))
    story.tried("a-s1")
    assert story.verdicts()["c-s1"] == Held(("b-s1",))
    story.tried("b-s1", "failed", "oom")
    assert story.choice() == Choice((), Decide("base", "c"))
    story.base("c", "a")
    assert story.choice() == Choice((), Begin("c-s1"))

    story = Story(A, B, based("c", "a", "b"))
    for name in ("a-s1", "b-s1"):
        story.tried(name, "failed", "oom")
    story.base("c", None)
    assert story.choice().skips == (Skip("c-s1", "base", "no run of a, b has finished"),)


def test_only_what_is_asked_for_is_begun() -> None:
    story = Story(A, B, NEEDY_C)
    story.begin(only=["b-s1"])
    assert story.choice() == Choice((), Begin("b-s1"))
    story.tried("b-s1")
    assert story.choice() == Choice((), None)
    assert left_to_do(story.orders, story.night) == ["a-s1", "c-s1"]
    assert left_to_do(story.orders, story.night, only=["b-s1"]) == []
    story.begin(only=["c-s1"])
    assert story.choice().skips[0].reason == "waits for a-s1, which is left for another start"


NEEDY_C: Job = job("c", needs=("a",))


def test_what_waits_for_what_is_not_there_is_never_begun() -> None:
    story = Story(job("a", needs=("nothing",)))
    assert story.verdicts() == {"a-s1": Held(("nothing",))}


def test_ten_thousand_jobs_are_looked_at_in_no_time() -> None:
    jobs = [job(f"e{n}", needs=(f"e{n - 1}",) if n else ()) for n in range(10_000)]
    story = Story(*jobs)
    story.tried("e0-s1", "failed", "oom")
    choice = story.choice()
    assert len(choice.skips) == 9_999
    assert choice.then is None
