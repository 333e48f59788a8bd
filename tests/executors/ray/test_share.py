"""What a piece of work takes of a cluster, and how many of them it has room for."""

from pathlib import Path

import pytest

from ctexp.core.errors import PreflightError, UsageError
from ctexp.executors.ray.share import Share, share_of
from ctexp.executors.settings import RaySettings, load

SHIPPED = load(Path(__file__).parents[3], "ray")
CPU = {"CPU": 4.0, "memory": 8e9}
GPU = {"CPU": 8.0, "GPU": 2.0, "memory": 64e9}


def settings(**changes: object) -> RaySettings:
    return RaySettings.model_validate(SHIPPED.model_dump() | changes)


def test_a_gpu_for_what_wants_one_where_there_are_any() -> None:
    assert share_of(settings(), [CPU, GPU], gpu=True) == Share(1.0, 1.0, 0)
    assert share_of(settings(), [CPU, GPU], gpu=False) == Share(1.0, 0.0, 0)
    assert share_of(settings(), [CPU], gpu=True) == Share(1.0, 0.0, 0)
    assert share_of(settings(gpus=2), [GPU], gpu=False) == Share(1.0, 2.0, 0)


def test_room_is_what_is_short_first() -> None:
    assert Share(1.0, 1.0, 0).room(GPU) == 2
    assert Share(1.0, 1.0, 0).room(CPU) == 0
    assert Share(1.0, 0.0, 3 * 10**9).room(CPU) == 2
    assert Share(3.0, 0.0, 0).room(GPU) == 2


def test_no_node_has_so_much() -> None:
    with pytest.raises(PreflightError, match="no node of the Ray cluster has cpus 16, gpus 0, memory 1"):
        share_of(settings(cpus=16, memory="2GB"), [CPU, GPU], gpu=False)


def test_a_training_has_its_gpu_alone() -> None:
    with pytest.raises(UsageError, match=r"gpus: 0\.5"):
        share_of(settings(gpus=0.5), [GPU], gpu=True)
