"""What holds whatever the jobs are: drawn plans, walked through to their end."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from ctexp.planning.packing.pack import Length, pack
from ctexp.planning.plan.jobs import LEAST_SECONDS, Job, in_order
from tests.planning.packing.plans import experiment

SECONDS = st.sampled_from([30.0, 60.0, 100.0, 250.0, 600.0, 2000.0])


@st.composite
def plans(draw: st.DrawFn) -> tuple[list[Job], dict[str, Length | None]]:
    jobs: list[Job] = []
    lengths: dict[str, Length | None] = {}
    names = [f"e{place}" for place in range(draw(st.integers(0, 7)))]
    for place, name in enumerate(names):
        earlier = st.sampled_from(names[:place]) if place else st.nothing()
        few = st.lists(earlier, max_size=2, unique=True) if place else st.just([])
        made = experiment(
            name,
            seeds=draw(st.integers(1, 3)),
            after=draw(st.one_of(st.just(""), earlier)),
            best_of=tuple(draw(few)),
            needs=tuple(draw(few)),
            priority=draw(st.sampled_from([0, 0, 0, 1, 2])),
            worth=draw(st.sampled_from([0.0, 0.5, 1.0, 4.0])),
            shorten=draw(st.integers(0, 4)) == 0,
        )
        p50 = draw(SECONDS)
        known = draw(st.integers(0, 5)) > 0
        lengths |= {
            job.id: Length(p50, p50 * draw(st.sampled_from([1.0, 1.5, 3.0]))) if known else None
            for job in made
        }
        jobs += made
    return in_order(jobs), lengths


@settings(max_examples=80, deadline=None)
@given(plans(), st.floats(0.0, 9000.0), st.sampled_from([0.0, 20.0]))
def test_each_job_comes_once_and_after_all_it_waits_for(
    plan: tuple[list[Job], dict[str, Length | None]], seconds: float, pause: float
) -> None:
    jobs, lengths = plan

    found = pack(jobs, lengths, seconds, pause)

    assert sorted(found.order) == sorted(job.id for job in jobs)
    place = {name: index for index, name in enumerate(found.order)}
    for job in jobs:
        awaited = [other for other in jobs if other.experiment in job.waits_for]
        assert all(place[other.id] < place[job.id] for other in awaited)
        assert job.id not in found.chosen or all(other.id in found.chosen for other in awaited)
    assert found == pack(jobs, lengths, seconds, pause)
    known = [length.p90 for length in lengths.values() if length]
    if len(known) == len(jobs):
        assert found.whole == (sum(known) + pause * max(0, len(jobs) - 1) <= seconds or not jobs)
    if found.whole:
        assert found.order == tuple(job.id for job in jobs)
        assert found.chosen == set(found.order)


@settings(max_examples=80, deadline=None)
@given(plans(), st.floats(0.0, 6000.0), st.randoms(use_true_random=False))
def test_no_lesser_priority_is_begun_while_a_greater_one_could_be(
    plan: tuple[list[Job], dict[str, Length | None]], seconds: float, draw: Random
) -> None:
    jobs, lengths = plan
    left, done = list(jobs), dict[str, int]()
    while left:
        ready = [job for job in left if _can_begin(job, left, lengths, seconds)]
        packed = pack(left, lengths, seconds, 0.0, done)
        job = next((job for name in packed.order for job in ready if job.id == name), None)
        if job is None:
            break
        if not packed.whole:
            greatest = _own_or_of_waiting(job, left)
            assert all(other.priority <= greatest for other in ready)
        left.remove(job)
        done[job.experiment] = done.get(job.experiment, 0) + 1
        length = lengths[job.id]
        seconds -= (length.p50 if length else 60.0) * draw.choice((0.5, 1.0, 3.0))


def _can_begin(job: Job, left: list[Job], lengths: dict[str, Length | None], seconds: float) -> bool:
    length = lengths[job.id]
    needed = length.p90 if length else LEAST_SECONDS
    room = min(needed, LEAST_SECONDS) if job.shorten else needed
    return room <= seconds and not {other.experiment for other in left}.intersection(job.waits_for)


def _own_or_of_waiting(job: Job, left: list[Job]) -> int:
    """The greatest priority of a job and all that wait for it, directly or by others."""
    waiting = [other for other in left if job.experiment in other.waits_for]
    return max([job.priority, *(_own_or_of_waiting(other, left) for other in waiting)])
