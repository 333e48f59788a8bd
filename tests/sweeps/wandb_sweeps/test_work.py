"""W&B's own client, with a service of this machine that answers it as the real one is believed to."""

import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from ctexp.core.errors import PreflightError, UsageError
from ctexp.record.run_dir import RunDir
from ctexp.sweeps.agent.stopping import Stops
from ctexp.sweeps.agent.tally import AgentSummary
from ctexp.sweeps.agent.trial import Bench
from ctexp.sweeps.board.opening import open_board
from ctexp.sweeps.board.shared import SharedBoard
from ctexp.sweeps.file.words import words_of
from ctexp.sweeps.space import Choice, Parameter, Range, Space
from ctexp.sweeps.wandb_sweeps import work as room
from ctexp.sweeps.wandb_sweeps.offers import fitting, flat
from tests.sweeps.agent.benches import bench, spec
from tests.sweeps.wandb_sweeps.stub import KEY, Stub, service
from tests.waiting import until

ITS = {
    "backend": "wandb",
    "space": Space(
        (
            Parameter("lr", Choice((0.3, 0.6))),
            Parameter("pause", Choice((4.0,))),
            Parameter("fault", Choice(("diverged",))),
        )
    ),
    "raw": {
        "method": "grid",
        "metric": {"name": "val/macro_f1", "goal": "maximize"},
        "parameters": {"lr": {"values": [0.3, 0.6]}},
    },
}


class Tracker:
    project, entity = "chest", None


class Settings:
    logger = Tracker()


class Composed:
    settings = Settings()


@pytest.fixture(autouse=True)
def _no_project_here(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WANDB_MODE", "WANDB_PROJECT", "WANDB_ENTITY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(room, "compose", lambda _words, _root: Composed())


def reach(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_BASE_URL", stub.url)
    monkeypatch.setenv("WANDB_API_KEY", KEY)


def open_(root: Path, **changes: Any) -> tuple[SharedBoard, Bench, Stops]:
    its, stops = spec(**{**ITS, **changes}), Stops()
    on = bench(root, its, stops)
    known = on.place.trials.exists()
    board = open_board(on.place, its, on.sweep, lambda values: " ".join(words_of(values)), create=not known)
    return board, on, stops


def work(root: Path, said: list[str] | None = None, **changes: Any) -> AgentSummary:
    board, on, stops = open_(root, **changes)
    with stops:
        return room.work(board, on, stops, count=None, tell=(said or []).append)


def test_nested_parameters_become_dotted_overrides() -> None:
    assert flat({"optimizer": {"lr": 0.1, "betas": [0.9, 0.99]}, "model": "resnet18"}) == {
        "optimizer.lr": 0.1,
        "optimizer.betas": [0.9, 0.99],
        "model": "resnet18",
    }


def test_values_are_those_of_the_file_however_the_service_writes_them() -> None:
    space = Space(
        (
            Parameter("decay", Choice((0.0, 0.05))),
            Parameter("nesterov", Choice((True, 1))),
            Parameter("lr", Range(1e-5, 1.0)),
            Parameter("epochs", Range(1, 9, integer=True)),
        )
    )
    values = fitting(space, {"decay": 0, "nesterov": 1, "lr": 1, "epochs": 3.0})
    assert json.dumps(values) == '{"decay": 0.0, "nesterov": 1, "lr": 1.0, "epochs": 3}'


def test_what_the_file_does_not_have_is_refused() -> None:
    space = Space((Parameter("model", Choice(("resnet18", "resnet50"))),))
    with pytest.raises(UsageError) as refused:
        fitting(space, {"model": "resnet34", "lrr": 0.1})
    assert refused.value.problems == (
        "W&B hands out model=resnet34, which the sweep's file does not have",
        "W&B hands out lrr=0.1, which the sweep's file does not have",
    )


@pytest.mark.parametrize("mode", ["offline", "disabled"])
def test_offline_there_is_no_sweep(mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", mode)
    with pytest.raises(PreflightError, match=mode):
        work(tmp_path)


def test_the_board_draws_nothing_of_its_own(tmp_path: Path) -> None:
    board, _, _ = open_(tmp_path)
    assert board.rows() == []


@pytest.mark.slow
def test_trials_come_from_the_service_and_their_values_go_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with service([{"lr": 0.3}, {"lr": 0.6}]) as stub:
        reach(stub, monkeypatch)
        summary = work(tmp_path)
        wait_for_exits(stub, 2)
    assert (summary.trials, summary.why) == ({"finished": 2}, "W&B has no more trials")
    rows = open_(tmp_path)[0].rows()
    assert [(row.number, row.state, row.values, row.value) for row in rows] == [
        (0, "finished", {"lr": 0.3}, 0.3),
        (1, "finished", {"lr": 0.6}, 0.6),
    ]
    assert [epoch for epoch, _ in rows[0].curve] == [1, 2, 3]
    (made,) = stub.sweeps
    assert "ctexp" not in made
    assert "val/macro_f1" in made
    first = stub.runs["w1"]
    assert first["name"] == "tiny-t0"
    assert [row["epoch"] for row in first["history"]] == [1, 2, 3]
    assert first["summary"]["val/macro_f1"] == 0.3
    assert [stub.runs[run]["exit"] for run in ("w1", "w0")] == [0, 0]
    assert next((tmp_path / "runs/sweeps").glob("*/wandb.txt")).read_text() == "lab/chest/swp1\n"


@pytest.mark.slow
def test_what_the_service_stops_is_pruned_and_what_fails_is_told_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials: list[dict[str, Any]] = [{"lr": 0.3, "pause": 4}, {"lr": 0.6, "fault": "diverged"}]
    with service(trials, stopping=1) as stub:
        reach(stub, monkeypatch)
        summary = work(tmp_path)
        wait_for_exits(stub, 2)
    assert summary.trials == {"pruned": 1, "failed": 1}
    assert stub.runs["w1"]["summary"]["state"] == "pruned"
    assert stub.runs["w0"]["exit"] == 1


@pytest.mark.slow
def test_a_trial_whose_agent_died_is_gone_on_with_before_the_service_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board, _, _ = open_(tmp_path)
    board.give_back(board.enter("dead", {"lr": 0.6}), "its agent died")
    with service([]) as stub:
        reach(stub, monkeypatch)
        summary = work(tmp_path)
    assert summary.trials == {"finished": 1}
    assert [(row.state, row.attempts) for row in open_(tmp_path)[0].rows()] == [("finished", 2)]
    (run,) = (tmp_path / "runs").glob("tiny-t0*")
    assert RunDir(run).read().state == "finished"


@pytest.mark.slow
def test_asked_to_stop_the_trial_waits_here_and_its_run_there_is_broken_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board, on, stops = open_(tmp_path)

    def ask() -> None:
        until(lambda: bool(board.rows()) and bool(board.rows()[0].curve))
        os.kill(os.getpid(), signal.SIGTERM)

    with service([{"lr": 0.3, "pause": 4}]) as stub:
        reach(stub, monkeypatch)
        threading.Thread(target=ask).start()
        with stops:
            summary = room.work(board, on, stops, count=None, tell=lambda _: None)
        wait_for_exits(stub, 1)
    assert (summary.trials, summary.why) == ({}, "stopped by SIGTERM")
    assert [(row.state, row.number) for row in board.rows()] == [("waiting", 0)]
    assert stub.runs["w0"]["exit"] == 143


@pytest.mark.slow
def test_a_service_that_refuses_is_told_with_where_to_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with service([]) as stub:
        reach(stub, monkeypatch)
        stub.refuses = True
        with pytest.raises(PreflightError) as refused:
            work(tmp_path)
    assert refused.value.problems[0].startswith("W&B: ")
    assert "wandb login" in refused.value.hint
    assert not list((tmp_path / "runs/sweeps").glob("*/wandb.txt"))


def wait_for_exits(stub: Stub, count: int) -> None:
    """The client sends the last of a run while the agent goes on."""
    until(lambda: sum(run["exit"] is not None for run in stub.runs.values()) >= count)
