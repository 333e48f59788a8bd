"""What the window holds, worked out by hand."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ctexp.core.gpu import Gpu
from ctexp.planning.schedule.fit import fit
from ctexp.planning.schedule.schedule import Schedule
from ctexp.record.manifest import Estimate
from tests.planning.schedule.jobs import checked, minutes, plan

NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
GPU = Gpu(0, "NVIDIA GeForce RTX 4090", "GPU-1", 24 * 2**30)
NO_ANALYSIS = {"disk": "1GB", "analysis": "0s"}


def fitted(
    experiments: dict[str, Any],
    costs: Mapping[str, Estimate | None],
    *,
    gpu: Gpu | None = None,
    free: int = 10**12,
    device: str = "a computer",
    **fields: Any,
) -> Schedule:
    """A plan with one seed in its window; costs by experiment."""
    kept = {"reserve": NO_ANALYSIS, "limits": {"grace": "0s"}}
    of = plan(experiments, **{**kept, "seeds": [1], **fields})
    by_job = {one.job.id: costs[one.job.experiment] for one in checked(of)}
    return fit(checked(of, device=device), by_job, of, now=NOW, gpu=gpu, free_bytes=free)


def told(schedule: Schedule) -> dict[str, tuple[str, str]]:
    return {entry.job: (entry.fits, entry.why) for entry in schedule.entries}


def begins(schedule: Schedule) -> dict[str, float | None]:
    """Minutes after the window opens."""
    return {
        entry.job: None if entry.begins is None else (entry.begins - schedule.opens) / timedelta(minutes=1)
        for entry in schedule.entries
    }


def test_a_window_that_closes_tomorrow_is_warned_of() -> None:
    found = fitted({"a": {}}, {"a": minutes(30)}, window=f"until {NOW.astimezone():%H:%M}")
    assert [line for line in found.warnings if "closes tomorrow" in line]


def test_jobs_follow_each_other_with_a_pause() -> None:
    found = fitted(
        {"a": {}, "b": {}, "c": {}},
        {"a": minutes(30, 40), "b": minutes(60, 80), "c": minutes(10)},
        cooldown={"pause": "1m"},
    )
    assert told(found) == {"a-s1": ("yes", ""), "b-s1": ("yes", ""), "c-s1": ("yes", "")}
    assert begins(found) == {"a-s1": 0, "b-s1": 31, "c-s1": 92}
    totals = found.totals
    assert (found.opens, found.closes) == (NOW, NOW + timedelta(hours=8))
    assert totals.finish == NOW + timedelta(minutes=102)
    assert totals.finish_p90 == NOW + timedelta(minutes=132)
    assert totals.device_hours == pytest.approx(100 / 60)
    assert totals.device_hours_p90 == pytest.approx(130 / 60)
    assert totals.disk_bytes == 300_000_000


SHORT_OF_TIME: dict[str, Any] = {"window": "2h", "reserve": {"disk": "1GB", "analysis": "10m"}}


def test_what_cannot_finish_is_left_out_and_a_shorter_one_after_it_is_not() -> None:
    costs = {"a": minutes(70, 75), "b": minutes(45, 65), "c": minutes(20, 25)}
    found = fitted({"a": {"worth": 4}, "b": {}, "c": {}}, costs, **SHORT_OF_TIME)
    others = "others make more of the window"
    assert told(found)["b-s1"] == ("no", f"needs 1 h 05 min (p90), 20 min 00 s are left: {others}")
    assert begins(found) == {"a-s1": 20, "b-s1": None, "c-s1": 0}
    assert [entry.job for entry in found.entries] == ["c-s1", "a-s1", "b-s1"]
    assert (found.totals.jobs, found.totals.fitting) == (3, 2)
    assert found.totals.finish == NOW + timedelta(minutes=100)  # the analysis included


def test_what_is_worth_more_comes_first_where_not_all_fits() -> None:
    costs = {"a": minutes(70, 75), "b": minutes(45, 65), "c": minutes(20, 25)}
    found = fitted({"a": {}, "b": {"worth": 9}, "c": {"worth": 9}}, costs, **SHORT_OF_TIME)
    assert (told(found)["b-s1"][0], told(found)["c-s1"][0], told(found)["a-s1"][0]) == ("yes", "yes", "no")
    roomy = fitted({"a": {}, "b": {"worth": 9}, "c": {"worth": 9}}, costs, window="3h")
    assert begins(roomy) == {"a-s1": 0, "b-s1": 70, "c-s1": 115}, "where all fits the plan's order stays"


def test_a_greater_priority_comes_before_any_worth() -> None:
    costs = {"a": minutes(70, 75), "b": minutes(45, 65), "c": minutes(20, 25)}
    first = {"a": {"priority": 1, "worth": 0.1}, "b": {"worth": 9}, "c": {}}
    assert begins(fitted(first, costs, **SHORT_OF_TIME))["a-s1"] == 0


def test_the_grace_of_a_job_that_is_stopped_is_kept_beside_the_analysis() -> None:
    kept: dict[str, Any] = {
        "window": "2h",
        "reserve": {"disk": "1GB", "analysis": "10m"},
        "limits": {"grace": "5m"},
    }
    assert told(fitted({"a": {}}, {"a": minutes(105)}, **kept))["a-s1"] == ("yes", "")
    found = fitted({"a": {}}, {"a": minutes(106)}, **kept)
    assert told(found)["a-s1"] == ("no", "needs 1 h 46 min (p90), 1 h 45 min are left")
    assert found.document()["window"]["grace_seconds"] == 300


def test_a_job_that_fits_only_at_the_median_pace_is_likely() -> None:
    found = fitted({"a": {}, "b": {}}, {"a": minutes(60, 100), "b": minutes(30, 50)}, window="2h")
    assert told(found)["b-s1"] == ("likely", "unless those before it take long")
    assert found.totals.finish == NOW + timedelta(minutes=90)
    assert found.totals.finish_p90 == NOW + timedelta(minutes=100)


def test_a_job_that_may_be_shortened_gets_what_is_left() -> None:
    found = fitted(
        {"a": {}, "b": {"shorten": True}, "c": {"shorten": True}},
        {"a": minutes(60), "b": minutes(100), "c": minutes(100)},
        window="2h",
    )
    assert told(found)["b-s1"] == ("shortened", "stopped at the window's end")
    assert found.entries[1].ends == found.closes
    assert told(found)["c-s1"] == ("no", "needs 1 h 40 min (p90), 0.0 s are left")


def test_what_waits_for_a_job_that_is_left_out_is_left_out() -> None:
    found = fitted(
        {
            "long": {},
            "needing": {"needs": ["long"]},
            "gated": {"gate": {"after": "long", "metric": "val/macro_f1", "op": ">=", "value": 0.5}},
            "based": {"base": {"best_of": ["long", "short"]}},
            "behind": {"needs": ["needing"]},
            "short": {},
        },
        dict.fromkeys(("needing", "gated", "based", "behind", "short"), minutes(1)) | {"long": minutes(600)},
    )
    reason = ("no", "waits for long-s1, which is left out")
    assert told(found)["needing-s1"] == told(found)["gated-s1"] == told(found)["based-s1"] == reason
    assert told(found)["behind-s1"] == ("no", "waits for needing-s1, which is left out")
    assert told(found)["short-s1"] == ("yes", "")


def test_gates_are_taken_to_be_met_and_jobs_come_after_what_they_wait_for() -> None:
    gate = {"after": "b", "metric": "val/macro_f1", "op": ">=", "value": 0.5}
    found = fitted({"a": {"gate": gate}, "b": {}}, {"a": minutes(5), "b": minutes(7)})
    assert begins(found) == {"b-s1": 0, "a-s1": 7}


def test_after_an_unknown_cost_times_are_the_least_they_can_be() -> None:
    found = fitted({"a": {}, "b": {}, "c": {}}, {"a": minutes(5), "b": None, "c": minutes(5)})
    assert begins(found) == {"a-s1": 0, "b-s1": 5, "c-s1": 5}
    assert [entry.certain for entry in found.entries] == [True, True, False]
    assert found.totals.unknown == 1
    late = fitted({"a": {}, "b": {}}, {"a": minutes(479.5), "b": None})
    assert told(late)["b-s1"] == ("no", "needs at least 1 min 00 s (its cost is unknown), 30 s are left")


def test_a_window_that_begins_later_counts_from_then() -> None:
    found = fitted({"a": {}}, {"a": minutes(60)}, window="from 23:30 for 2h")
    assert found.entries[0].begins == found.opens
    assert found.opens.astimezone().strftime("%H:%M") == "23:30"
    assert found.totals.finish - found.opens == timedelta(hours=1)


def test_too_little_disk_is_a_problem_and_at_the_p90_a_warning() -> None:
    one = minutes(10, disk_bytes=3_000_000_000, disk_bytes_p90=4_000_000_000)
    costs = {"a": one, "b": one}
    experiments: dict[str, Any] = {"a": {}, "b": {}}
    line = "disk: the night {} write {} GB; {} GB are free beyond the reserve of 1.0 GB (reserve.disk): "
    line += "free some space (scripts/inv prune), or lower reserve.disk"
    assert fitted(experiments, costs, free=6_500_000_000).problems == (
        line.format("is expected to", "6.0", "5.5"),
    )
    tight = fitted(experiments, costs, free=7_500_000_000)
    assert tight.problems == ()
    assert tight.warnings == (line.format("may (p90)", "8.0", "6.5"),)
    assert fitted(experiments, costs, free=9_500_000_000).warnings == ()


def large(p50: float, p90: float) -> Estimate:
    return minutes(10, memory_bytes=round(p50 * 2**30), memory_bytes_p90=round(p90 * 2**30))


def test_memory_is_held_to_the_gpu_and_to_the_plans_limit() -> None:
    on_gpu: dict[str, Any] = {"gpu": GPU, "device": GPU.name, "seeds": [1, 2]}
    both = fitted({"a": {}, "b": {}}, {"a": large(26, 28), "b": large(22, 25)}, **on_gpu)
    way = ": lower data.batch_size, or set trainer.on_oom=retry"
    assert both.problems == (f"a: 26.0 GiB of GPU memory expected, the GPU has 24.0 GiB{way}",)
    assert both.warnings == ("b: 25.0 GiB of GPU memory at the p90, the GPU has 24.0 GiB",)
    assert (both.totals.on_gpu, both.totals.memory_bytes) == (True, 26 * 2**30)
    limited = fitted({"b": {}}, {"b": large(22, 25)}, limits={"memory": "20GiB"}, **on_gpu)
    assert limited.problems == (f"b: 22.0 GiB of GPU memory expected, limits.memory allows 20.0 GiB{way}",)
    way_out = {"fallback": {"oom": ["data.batch_size=4"]}}
    smaller = fitted({"a": way_out}, {"a": large(26, 28)}, **on_gpu)
    assert smaller.problems == ()
    assert smaller.warnings[0].endswith("it goes on in smaller parts, or with its fallback")


def test_memory_of_a_job_on_the_processor_is_not_the_gpus() -> None:
    found = fitted({"a": {}}, {"a": large(26, 28)}, gpu=GPU)
    assert (found.problems, found.warnings, found.totals.on_gpu) == ((), (), False)


def test_a_limit_that_is_expected_to_be_reached_is_told() -> None:
    found = fitted({"a": {"limit": "30m"}}, {"a": minutes(30)})
    assert found.warnings == ("a: expected to be given up at its limit of 30 min 00 s",)


def test_a_job_longer_than_the_whole_window_is_told() -> None:
    both: dict[str, Any] = {"a": {}, "b": {"shorten": True}}
    costs = {"a": minutes(3, 3.25), "b": minutes(10)}
    found = fitted(both, costs, window="4m", reserve={"disk": "1GB", "analysis": "1m"}, seeds=[1, 2])
    never = "a: needs 3 min 15 s (p90), the whole window has 3 min 00 s: it will never be begun"
    assert found.warnings == (f"{never}; lengthen the window, or shorten: true",)
    folds = fitted({"a": {"kind": "cross-validate"}}, {"a": minutes(5)}, window="4m")
    assert folds.warnings[0].endswith("never be begun; lengthen the window")


def test_a_window_that_is_all_kept_for_its_end_is_a_problem() -> None:
    experiments: dict[str, Any] = {"a": {"shorten": True}, "b": {}}
    costs = {"a": minutes(3), "b": None}
    found = fitted(experiments, costs, window="2m", reserve={"disk": "1GB", "analysis": "2m"})
    assert found.problems == (
        "window 2m: 0.0 s to stop a job (limits.grace) and 2 min 00 s to analyse (reserve.analysis) are kept "
        "of it, so no job can begin: lengthen it, or keep less",
    )


@pytest.mark.parametrize(
    ("window", "minutes_of_job", "warned"),
    [
        ("until 23:00", 120, False),  # begun earlier it has the time
        ("until 23:00", 1500, True),
        ("from 22:00 until 07:00", 530, False),
        ("from 22:00 until 07:00", 550, True),
        ("weekend", 1500, False),
    ],
)
def test_a_window_until_a_time_of_day_is_as_long_as_it_can_be(
    window: str, minutes_of_job: float, warned: bool
) -> None:
    found = fitted({"a": {}}, {"a": minutes(minutes_of_job)}, window=window)
    assert any("never be begun" in line for line in found.warnings) == warned


def test_the_document_is_plain_json() -> None:
    found = fitted({"a": {}, "b": {}}, {"a": minutes(5, 6), "b": None})
    document = json.loads(json.dumps(found.document(), allow_nan=False))
    assert document["jobs"][0] == {
        "job": "a-s1",
        "seconds": 300.0,
        "seconds_p90": 360.0,
        "memory_bytes": 2**30,
        "memory_bytes_p90": 2**30,
        "disk_bytes": 100_000_000,
        "disk_bytes_p90": 100_000_000,
        "need_bytes": None,
        "basis": "3 like runs",
        "fits": "yes",
        "why": "",
        "begins": "2026-11-21T22:00:00.000Z",
        "ends": "2026-11-21T22:05:00.000Z",
        "certain": True,
    }
    assert document["jobs"][1]["seconds"] is None
    assert document["jobs"][1]["basis"] == "unknown"
    assert document["totals"]["finish"] == "2026-11-21T22:05:00.000Z"
    assert document["window"]["closes"] == "2026-11-22T06:00:00.000Z"
