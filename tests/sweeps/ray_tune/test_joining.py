import dataclasses
import sys
import types
from pathlib import Path

import pytest

from ctexp.core.errors import PreflightError, UsageError
from ctexp.executors.ray import joining
from ctexp.sweeps.agent.stopping import Stops
from ctexp.sweeps.ray_tune import cluster, driver
from tests.sweeps.agent.benches import Memory, bench, spec

CPU: dict[str, float] = {"CPU": 4.0}
GPU: dict[str, float] = {"CPU": 8.0, "GPU": 1.0}


def test_a_trial_takes_a_cpu_and_a_gpu_where_there_are_any() -> None:
    assert cluster._share({}, [CPU]) == {"cpu": 1.0, "gpu": 0.0}
    assert cluster._share({}, [CPU, GPU]) == {"cpu": 1.0, "gpu": 1.0}
    assert cluster._share({"cpus": 4, "gpus": 0}, [CPU, GPU]) == {"cpu": 4, "gpu": 0}


def test_no_node_has_room_for_it() -> None:
    with pytest.raises(
        PreflightError, match="no node of the cluster has what a trial takes \\(cpus 8, gpus 2\\)"
    ) as refused:
        cluster._share({"cpus": 8, "gpus": 2}, [CPU, GPU])
    assert "ctexp: resources" in refused.value.hint


def test_a_training_shares_its_gpu_with_nobody() -> None:
    with pytest.raises(UsageError, match=r"gpus: 0\.5, but"):
        cluster._share({"gpus": 0.5}, [GPU])


def test_without_ray_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*cluster._SETTINGS, *joining._SETTINGS]:
        monkeypatch.setenv(name, "")  # to be put back
    monkeypatch.setitem(sys.modules, "ray", None)
    its, stops = bench(tmp_path, spec(backend="ray")), Stops()
    with pytest.raises(PreflightError, match="Ray is not installed") as refused:
        driver.work(Memory([]), its, stops, count=None, tell=lambda _: None)
    assert refused.value.hint == "scripts/inv --extra ray"


def test_the_cluster_and_not_a_flag_says_which_gpu(tmp_path: Path) -> None:
    its = bench(tmp_path, spec(backend="ray"))
    its = dataclasses.replace(its, variables={"CUDA_VISIBLE_DEVICES": "1"})
    with pytest.raises(UsageError, match="--gpu"):
        driver.work(Memory([]), its, Stops(), count=None, tell=lambda _: None)


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("127.0.0.1:1", "nothing answers"),
        ("ray://127.0.0.1:10001", "write host:6379"),
        ("somewhere", "write host:6379"),
    ],
)
def test_a_cluster_that_does_not_answer_is_told_at_once(
    address: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [*cluster._SETTINGS, *joining._SETTINGS]:
        monkeypatch.setenv(name, "")
    monkeypatch.setitem(sys.modules, "ray", types.ModuleType("ray"))  # it is not asked
    monkeypatch.setenv(joining.ADDRESS, address)
    its = bench(tmp_path, spec(backend="ray"))
    with pytest.raises(PreflightError, match=problem):
        driver.work(Memory([]), its, Stops(), count=None, tell=lambda _: None)
