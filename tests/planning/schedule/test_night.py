"""A plan on this machine: history, measurements, disk and devices as they are."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ctexp.core.gpu import Gpu, GpuState
from ctexp.executors.slots import Device
from ctexp.planning.schedule import night
from ctexp.planning.schedule.night import schedule
from tests.planning.schedule.jobs import DEVICE, checked, plan
from tests.planning.schedule.test_costs import recorded

NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)


def test_where_nothing_was_ever_run_every_cost_is_unknown(tmp_path: Path) -> None:
    of = plan({"a": {}, "b": {}})
    found = schedule(checked(of), of, tmp_path / "not" / "yet", NOW)
    assert [entry.cost for entry in found.entries] == [None, None]
    assert found.totals.unknown == 2
    assert found.totals.free_bytes == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.1)
    assert not (tmp_path / "not").exists()


def test_history_fills_the_night(tmp_path: Path) -> None:
    recorded(tmp_path)  # 12 minutes for 30 epochs
    of = plan({"a": {"overrides": ["trainer.max_epochs=30"], "seeds": list(range(60))}})
    found = schedule(checked(of), of, tmp_path, NOW)
    left_out = [entry for entry in found.entries if entry.fits == "no"]
    assert found.totals.unknown == 0
    assert 35 < found.totals.fitting < 40
    assert len(left_out) == 60 - found.totals.fitting
    assert left_out[0].why.startswith("needs 15 min 51 s (p90), ")
    assert 7 < found.totals.device_hours < 8
    assert found.totals.finish <= found.closes


def test_the_gpu_of_this_machine_is_the_one_that_jobs_are_held_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(tmp_path)  # on DEVICE, with 900 MiB
    gpu = Gpu(0, DEVICE, "GPU-1", 2**29)
    monkeypatch.setattr(night, "detect_gpus", lambda: GpuState(True, (gpu,), "1", "13.0", None, ""))
    of = plan({"a": {}})
    found = schedule(checked(of), of, tmp_path, NOW)
    (problem,) = found.problems
    assert problem.startswith("a: 0.9 GiB of GPU memory expected, the GPU has 0.5 GiB: lower data.batch_size")
    assert found.totals.on_gpu


def test_what_was_measured_on_other_hardware_alone_is_said(tmp_path: Path) -> None:
    recorded(tmp_path)  # on DEVICE
    of = plan({"a": {"seeds": [1, 2]}, "b": {"overrides": ["data.batch_size=3"]}})
    jobs = checked(of, device="a computer, 2 threads")
    measure = "scripts/inv plan-check night --measure"
    alone = "so each has its device to itself; to run several at once"
    shared = schedule(jobs, of, tmp_path, NOW, [Device("cpu", 2**34, 2)])
    assert shared.unmeasured == (
        f"a-s1 and 1 more: measured on a computer, not on a computer, 2 threads, {alone}: {measure}",
        f"b-s42: not measured, {alone}: {measure}",
    )
    lines = [f"a-s1 and 1 more: measured on a computer, not on a computer, 2 threads: {measure}"]
    assert [*schedule(jobs, of, tmp_path, NOW).unmeasured] == lines, "one after the other nothing is lost"
    assert schedule(checked(of)[:2], of, tmp_path, NOW, [Device("cpu", 2**34, 2)]).unmeasured == ()
