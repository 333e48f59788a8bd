"""The jobs a plan stands for: their words, their order, and that they are read back as they were."""

import json
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctexp.planning.plan.document import Plan
from ctexp.planning.plan.jobs import Job, in_order, jobs_of, key_of, last_words

PLAN = Plan.model_validate(
    {
        "name": "night",
        "seeds": [1, 2],
        "common": ["model=resnet18", "data.batch_size=32", "+run.tags=[a]"],
        "experiments": {
            "plain": {},
            "small": {
                "overrides": ["++data.batch_size=8", "optimizer=sgd"],
                "seeds": [7],
                "fallback": {"oom": ["data.batch_size=4"]},
                "limit": "1h30m",
                "kind": "cross-validate",
            },
            "best": {
                "base": {"best_of": ["small", "plain"], "by": "val/f1"},
                "gate": {"after": "plain", "metric": "val/acc", "op": ">=", "value": 0.5},
                "needs": ["small"],
                "overrides": ["optimizer=lion", "run.name=mine"],
                "priority": 3,
                "shorten": True,
            },
        },
    }
)


def test_a_job_for_each_experiment_and_seed() -> None:
    assert [job.id for job in jobs_of(PLAN)] == ["plain-s1", "plain-s2", "small-s7", "best-s1", "best-s2"]
    small = jobs_of(PLAN)[2]
    assert (small.verb, small.limit_seconds, small.seed) == ("cross-validate", 5400, 7)


def test_the_last_word_on_a_key_wins_and_names_tell_failures_apart() -> None:
    plain, _, small, best, _ = jobs_of(PLAN)
    words = ("run.name=night-plain", "seed=1")
    assert plain.overrides() == ("model=resnet18", "data.batch_size=32", "+run.tags=[a]", *words)
    common = ("model=resnet18", "+run.tags=[a]")
    assert small.overrides() == (
        *common, "++data.batch_size=8", "optimizer=sgd", "run.name=night-small", "seed=7"
    )  # fmt: skip
    assert small.overrides("oom") == (
        *common, "optimizer=sgd", "data.batch_size=4", "run.name=night-small-oom", "seed=7"
    )  # fmt: skip
    base = ("++data.batch_size=8", "optimizer=sgd")
    assert best.overrides(base=base) == (
        *common, "++data.batch_size=8", "optimizer=lion", "run.name=mine", "seed=1"
    )  # fmt: skip
    assert best.waits_for == ("small", "plain")


def test_a_name_of_its_own_is_told_apart_after_a_failure_too() -> None:
    own = {"overrides": ["run.name=mine", "optimizer=lion"], "fallback": {"oom": ["data.batch_size=4"]}}
    job = jobs_of(Plan.model_validate({"name": "night", "seeds": [1], "experiments": {"a": own}}))[0]
    assert job.overrides() == ("run.name=mine", "optimizer=lion", "seed=1")
    assert job.overrides("oom") == ("run.name=mine-oom", "optimizer=lion", "data.batch_size=4", "seed=1")


def test_a_job_is_read_back_from_json() -> None:
    for job in jobs_of(PLAN):
        assert Job.read(json.loads(json.dumps(job.document()))) == job


NAMES = [f"e{index}" for index in range(6)]
GRAPHS = st.lists(
    st.tuples(st.integers(-2, 2), st.sets(st.sampled_from(NAMES)), st.integers(1, 3)), min_size=1, max_size=6
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is slow
@given(GRAPHS)
def test_jobs_come_after_all_they_wait_for_and_greater_priorities_first(
    graph: list[tuple[int, set[str], int]],
) -> None:
    template = jobs_of(PLAN)[0]
    jobs = [
        replace(
            template, id=f"{name}-s{seed}", experiment=name, seed=seed, priority=priority, needs=tuple(needs)
        )
        for name, (priority, needs, seeds) in zip(NAMES, graph, strict=False)
        for seed in range(seeds)
    ]
    ordered = in_order(jobs)
    assert sorted(job.id for job in ordered) == sorted(job.id for job in jobs)
    over: set[str] = set()
    left = {job.id for job in jobs}
    for job in ordered:
        able = [one for one in jobs if one.id in left and over.issuperset(one.waits_for)]
        if not able:  # what is left waits for itself, or for what is not there, in the order of the plan
            assert [one for one in jobs if one.id in left] == [one for one in ordered if one.id in left]
            break
        assert job == max(able, key=lambda one: (one.priority, -jobs.index(one)))
        left.discard(job.id)
        if not any(one.experiment == job.experiment for one in jobs if one.id in left):
            over.add(job.experiment)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is slow
@given(
    st.lists(
        st.builds("{}{}={}".format, st.sampled_from(["", "+", "++"]), st.sampled_from("abc"), st.integers())
    )
)
def test_each_key_is_said_once(words: list[str]) -> None:
    kept = last_words(words)
    assert len({key_of(word) for word in kept}) == len(kept)
    last = {key_of(word): word for word in words}
    assert {key_of(word): word for word in kept} == last
    assert last_words(kept) == kept
