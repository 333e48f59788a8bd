"""The schedule as it is printed."""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from ctexp.cli.plan_tables import print_schedule
from ctexp.core.gpu import Gpu
from ctexp.executors.slots import Device
from ctexp.planning.schedule.fit import fit
from ctexp.record.manifest import Estimate
from tests.planning.schedule.jobs import checked, minutes, plan

NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
GPU = Gpu(0, "NVIDIA GeForce RTX 4090", "GPU-1", 24 * 2**30)


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def printed(
    capsys: pytest.CaptureFixture[str],
    costs: Mapping[str, Estimate | None],
    gpu: Gpu | None = None,
    devices: Sequence[Device] = (),
    **fields: Any,
) -> list[str]:
    of = plan({name: {} for name in costs}, **{"seeds": [1], **fields})
    jobs = checked(of, **({"device": gpu.name} if gpu else {}))
    by_job = {f"{name}-s1": cost for name, cost in costs.items()}
    print_schedule(fit(jobs, by_job, of, now=NOW, gpu=gpu, free_bytes=512 * 10**9, devices=devices))
    return capsys.readouterr().out.splitlines()


def test_every_job_has_its_line_and_the_night_its_totals(capsys: pytest.CaptureFixture[str]) -> None:
    large = minutes(90, 120, memory_bytes=6_550_000_000, disk_bytes=310_000_000, disk_bytes_p90=340_000_000)
    costs = {"backbones": large, "tiny": minutes(6.5, 9), "huge": minutes(500, 600)}
    assert printed(capsys, costs, gpu=GPU, window="until 07:00") == [
        "window until 07:00: Sat 22:00 to Sun 07:00, the last 12 min 00 s kept to stop a job and to analyse",
        "",
        "job                  p50          p90   memory    disk  begins  fits",
        "tiny-s1       6 min 30 s   9 min 00 s  1.0 GiB  100 MB   22:00  yes",
        "backbones-s1  1 h 30 min   2 h 00 min  6.1 GiB  310 MB   22:06  yes",
        "huge-s1       8 h 20 min  10 h 00 min  1.0 GiB  100 MB          "
        "no: needs 10 h 00 min (p90), 7 h 11 min are left",
        "",
        "jobs        2 of 3 jobs fit",
        "GPU hours   1.6 (p90 2.1)",
        "finish      23:46 (p90 00:19)",
        "disk        410 MB (p90 440 MB) of 512.0 GB free, 5.0 GB of them reserved",
        "GPU memory  up to 6.1 GiB of 24.0 GiB",
    ]


def test_on_devices_the_memory_is_what_a_job_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    cost = minutes(30, memory_bytes=2**30, memory_bytes_p90=3 * 2**29)
    devices = [Device("cpu#1", 2**31), Device("cpu#2", 2**30)]
    lines = printed(capsys, {"a": cost, "b": None}, window="8h", devices=devices)
    assert lines[2:5] == [
        "job           p50          p90  memory (p90)    disk  begins  fits",
        "a-s1  30 min 00 s  30 min 00 s       1.5 GiB  100 MB   22:00  yes",
        "b-s1      unknown                                      22:00  likely: what it costs is unknown",
    ]
    assert lines[-1] == "memory      up to 1.5 GiB (p90)"


def test_what_nobody_knows_is_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, {"a": None, "b": minutes(30)}, window="2d", reserve={"analysis": "0s"})
    assert lines == [
        "window 2d: Sat 22:00 to Mon 22:00, the last 2 min 00 s kept to stop a job",
        "",
        "job           p50          p90   memory    disk       begins  fits",
        "a-s1      unknown                                  Sat 22:00  likely: what it costs is unknown",
        "b-s1  30 min 00 s  30 min 00 s  1.0 GiB  100 MB  ≥ Sat 22:00  "
        "likely: what those before it cost is unknown",
        "",
        "jobs        2 jobs, all fit as far as is known; what 1 of them cost is not: see --measure",
        "CPU hours   at least 0.5 (p90 0.5)",
        "finish      at least Sat 22:30 (p90 Sat 22:30)",
        "disk        at least 100 MB (p90 100 MB) of 512.0 GB free, 5.0 GB of them reserved",
        "memory      up to 1.0 GiB",
    ]


def test_where_nothing_is_known_no_zeros_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, {"a": None, "b": None}, window="8h")
    assert lines[-4:] == [
        "jobs        2 jobs, all fit as far as is known; what they cost is not: see --measure",
        "CPU hours   unknown",
        "finish      unknown",
        "disk        unknown, 512.0 GB free, 5.0 GB of them reserved",
    ]
