"""Which jobs of a night a warm trainer is for, and what they are told of it."""

from pathlib import Path

import pytest

from ctexp.core.errors import PreflightError
from ctexp.queue import warm
from ctexp.queue.orders import Cost, Orders
from ctexp.warm.parent import Parent
from tests.queue.written import job, queue

JOBS = [job("short"), job("long"), job("unknown"), job("search", verb="sweep")]
COSTS = {"short-s1": Cost(60.0), "long-s1": Cost(3000.0), "search-s1": Cost(60.0)}


@pytest.fixture
def orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Orders:
    for name in ("CTEXP_WARM", "CUDA_VISIBLE_DEVICES", warm.VARIABLE):
        monkeypatch.delenv(name, raising=False)
    return Orders.read(queue(tmp_path, JOBS, COSTS, gpu_uuid="GPU-1").orders)


def test_short_jobs_are_told(orders: Orders, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [warm.is_short(orders, one) for one in orders.jobs] == [True, False, False, False]
    assert warm.variables(orders, orders.jobs[0]) == {}
    monkeypatch.setenv(warm.VARIABLE, "/run/socket")
    told = [warm.variables(orders, one) for one in orders.jobs]
    assert told == [{"CTEXP_WARM": "/run/socket"}, {}, {}, {}]


def test_it_sees_the_gpu_that_jobs_see_and_a_night_begins_without_it(
    orders: Orders, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[str] = []

    def started(self: Parent) -> Path:
        seen.append(self._environment["CUDA_VISIBLE_DEVICES"])
        return Path("/run/socket")

    monkeypatch.setattr(Parent, "start", started)
    assert warm.start(orders) == {warm.VARIABLE: "/run/socket"}
    assert seen == ["GPU-1"]

    def refused(_: Parent) -> Path:
        raise PreflightError("no place for a socket")

    monkeypatch.setattr(Parent, "start", refused)
    assert warm.start(orders) == {}
    assert "short jobs begin in fresh processes: no place for a socket" in capsys.readouterr().err

    monkeypatch.setenv("CTEXP_WARM", "/mine")
    assert warm.start(orders) == {}
