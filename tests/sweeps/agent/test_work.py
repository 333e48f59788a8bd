import math
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ctexp.core.errors import Busy, CriterionNotMet, PreflightError
from ctexp.record.run_dir import RunDir
from ctexp.sweeps.agent import work as agent
from ctexp.sweeps.agent.stopping import Stops
from ctexp.sweeps.agent.tally import AgentSummary
from tests.sweeps.agent.benches import Memory, bench, spec
from tests.sweeps.agent.stub import TRACKER_FAILED, Stub
from tests.waiting import until


def work(root: Path, board: Memory, count: int | None = None, **changes: Any) -> AgentSummary:
    stops = changes.pop("stops", Stops())
    its = changes.pop("spec", spec(**changes))
    with stops:
        return agent.work(board, bench(root, its, stops), stops, count=count, tell=lambda _: None)


def trains(root: Path) -> bool:
    """Whether the first trial has trained an epoch."""
    return any((root / "runs").glob("tiny-t0*/trained.txt"))


def when(what: Callable[[], bool], act: Callable[[], None]) -> None:
    def wait() -> None:
        until(what)
        act()

    threading.Thread(target=wait, daemon=True).start()


def runs(root: Path) -> list[RunDir]:
    return sorted((RunDir(path) for path in (root / "runs").glob("tiny-t*")), key=lambda run: run.id)


def test_every_trial_is_a_run_of_its_own_and_its_value_that_of_its_best_checkpoint(tmp_path: Path) -> None:
    board = Memory([{"lr": 0.3}, {"lr": 0.1}])
    summary = work(tmp_path, board)
    assert [(number, told.state, told.value) for number, told in board.told] == [
        (0, "finished", 0.3),
        (1, "finished", 0.1),
    ]
    assert [epoch for epoch, _ in board.curves[1]] == [1, 2, 3]
    assert [value for _, value in board.curves[1]] == pytest.approx([0.1 / 3, 0.2 / 3, 0.1])
    assert [run.id for run in runs(tmp_path)] == [board.runs[0]["s42"], board.runs[1]["s42"]]
    first = runs(tmp_path)[0].read().manifest
    assert first is not None
    assert first.name == "tiny-t0"
    assert first.origin.parent == next((tmp_path / "runs/sweeps").iterdir()).name
    assert (summary.trials, summary.why) == ({"finished": 2}, "the grid is done")


def test_a_tracker_that_fails_is_told_once(tmp_path: Path) -> None:
    lines: list[str] = []
    board = Memory([{"lr": 0.3}, {"lr": 0.1, "fault": "tracker"}, {"lr": 0.2, "fault": "tracker"}])
    with Stops() as stops:
        agent.work(board, bench(tmp_path, spec(), stops), stops, count=None, tell=lines.append)
    assert [told.state for _, told in board.told] == ["finished"] * 3
    assert [line for line in lines if "tracker" in line and "fault" not in line] == [
        f"warning: t1: {TRACKER_FAILED}"
    ]


def test_of_several_seeds_mean_and_standard_error_are_told(tmp_path: Path) -> None:
    board = Memory([{"lr": 0.5}])
    work(tmp_path, board, seeds=(42, 44, 49), objective="mean_minus_se")
    ((_, told),) = board.told
    values = (0.5, 0.502, 0.507)
    mean = sum(values) / 3
    error = math.sqrt(sum((value - mean) ** 2 for value in values) / 2 / 3)
    assert told.mean == pytest.approx(mean)
    assert told.error == pytest.approx(error)
    assert told.value == pytest.approx(mean - error)
    assert set(board.runs[0]) == {"s42", "s44", "s49"}
    assert len(board.curves[0]) == 3  # those of the first seed decide


def test_a_trial_that_falls_behind_is_ended_and_no_further_seed_of_it_is_trained(tmp_path: Path) -> None:
    board = Memory([{"lr": 0.1}, {"lr": 0.9}], behind=lambda _, epoch, value: epoch == 2 and value < 0.5)
    work(tmp_path, board, seeds=(42, 43))
    assert [told.state for _, told in board.told] == ["pruned", "finished"]
    assert board.told[0][1].value is None
    assert set(board.runs[0]) == {"s42"}
    assert runs(tmp_path)[0].read().state == "pruned"


def test_a_trial_that_fails_is_told_with_its_reason_and_the_sweep_goes_on(tmp_path: Path) -> None:
    board = Memory([{"lr": 0.1, "fault": "oom"}, {"lr": 0.2, "fault": "diverged"}, {"lr": 0.3}])
    summary = work(tmp_path, board)
    assert [(told.state, told.problem) for _, told in board.told] == [
        ("failed", "oom: it was oom"),
        ("failed", "diverged: it was diverged"),
        ("finished", ""),
    ]
    assert summary.trials == {"failed": 2, "finished": 1}


def test_three_failures_of_one_kind_at_the_beginning_end_the_agent(tmp_path: Path) -> None:
    board = Memory([{"lr": 0.1 * n, "fault": "oom"} for n in range(1, 6)])
    with pytest.raises(CriterionNotMet, match="first 3 trials failed alike: oom"):
        work(tmp_path, board)
    assert len(board.told) == 3


def test_what_refuses_the_first_trial_would_refuse_all_and_ends_the_agent(tmp_path: Path) -> None:
    board = Memory([{"lr": 0.1, "fault": "refused"}, {"lr": 0.2}])
    with pytest.raises(PreflightError, match=r"^git\.dirty=refuse: uncommitted changes"):
        work(tmp_path, board)
    assert not board.told
    assert [number for number, _ in board.given] == [0]


def test_what_refuses_one_trial_among_others_is_its_failure(tmp_path: Path) -> None:
    board = Memory([{"lr": 0.1}, {"lr": 0.2, "fault": "refused"}, {"lr": 0.3}])
    work(tmp_path, board)
    assert [told.state for _, told in board.told] == ["finished", "failed", "finished"]
    assert board.told[1][1].problem.startswith("refused: git.dirty=refuse")


def test_a_gpu_in_use_is_no_trials_fault(tmp_path: Path) -> None:
    board = Memory([{"lr": 0.1}, {"lr": 0.2, "fault": "busy"}, {"lr": 0.3}])
    with pytest.raises(Busy):
        work(tmp_path, board)
    assert [number for number, _ in board.given] == [1]


def test_a_training_that_is_killed_is_gone_on_with_but_not_for_ever(tmp_path: Path) -> None:
    board = Memory([{"lr": 0.1, "fault": "killed"}])
    work(tmp_path, board)
    assert [why for _, why in board.given] == ["killed by SIGKILL, which nobody here sent"] * 2
    assert board.told[0][1].problem == "killed by SIGKILL, which nobody here sent, 3 times"
    assert len(runs(tmp_path)) == 1  # each attempt in the same run


def test_a_signal_saves_the_trial_and_gives_it_back_and_the_next_agent_goes_on_with_it(
    tmp_path: Path,
) -> None:
    board = Memory([{"lr": 0.3, "pause": 0.3}, {"lr": 0.1}])
    when(lambda: trains(tmp_path), lambda: os.kill(os.getpid(), signal.SIGTERM))
    summary = work(tmp_path, board)
    assert summary.why == "stopped by SIGTERM"
    assert board.given == [(0, "stopped by SIGTERM")]
    assert not board.told
    (run,) = runs(tmp_path)
    assert run.read().state == "interrupted"

    work(tmp_path, board)
    assert sorted((number, told.value) for number, told in board.told) == [(0, 0.3), (1, 0.1)]
    assert dict(board.told)[0].seconds > 0.45  # those before the signal count as well
    assert (run.path / "trained.txt").read_text().split() == ["1", "2", "3"]  # no epoch twice
    assert [epoch for epoch, _ in board.curves[0]][-3:] == [1, 2, 3]  # the new attempt's curve is whole


def test_no_trial_is_begun_that_may_not_end_in_time(tmp_path: Path) -> None:
    class AlmostOver(Stops):
        def seconds_left(self) -> float:
            return 0.05

    board = Memory([{"lr": 0.1, "pause": 0.05}, {"lr": 0.2, "pause": 0.05}])
    summary = work(tmp_path, board, stops=AlmostOver())
    assert [number for number, _ in board.told] == [0]  # nobody knows yet how long the first takes
    assert "a trial took" in summary.why


def test_when_the_time_is_over_the_trial_under_way_is_saved(tmp_path: Path) -> None:
    class OverOnceItTrains(Stops):
        def seconds_left(self) -> float:
            return 0.0 if trains(tmp_path) else 60.0

    board = Memory([{"lr": 0.1, "pause": 0.4}])
    summary = work(tmp_path, board, stops=OverOnceItTrains())
    assert summary.why == "the time is over"
    assert board.given == [(0, "the time is over")]


def test_count_ends_the_agent_after_so_many(tmp_path: Path) -> None:
    board = Memory([{"lr": 0.1}, {"lr": 0.2}, {"lr": 0.3}])
    assert work(tmp_path, board, count=2).trials == {"finished": 2}
    assert len(board.told) == 2


def test_a_board_that_fails_ends_the_training_with_what_it_has(tmp_path: Path) -> None:
    class Broken(Memory):
        def report(self, *told: Any) -> bool:
            raise PreflightError(f"the server is gone: {told}")

    board = Broken([{"lr": 0.1, "pause": 0.1}])
    with pytest.raises(PreflightError, match="the server is gone"):
        work(tmp_path, board)
    (run,) = runs(tmp_path)
    assert not run.lock().is_held()
    assert run.read().state == "interrupted"


def test_an_agent_that_was_taken_for_dead_saves_its_training_and_goes_on_with_others(tmp_path: Path) -> None:
    """As one that was suspended: the run of another agent's trial is no pruned one."""

    class Taken(Memory):
        def beat(self, taken: Any) -> bool:
            return bool(taken.number)

        def give_back(self, taken: Any, why: str, **_: Any) -> None:
            self.given.append((taken.number, why))

    board = Taken([{"lr": 0.1, "pause": 0.05}, {"lr": 0.3}], behind=lambda number, *_: number == 0)
    assert work(tmp_path, board).trials == {"finished": 1}
    assert board.given == [(0, "another agent has it by now")]
    assert runs(tmp_path)[0].read().state == "interrupted"


@pytest.mark.parametrize(("code", "name"), [(255, "signal 127"), (-40, "signal 40"), (137, "SIGKILL")])
def test_an_exit_code_of_any_number_is_told(tmp_path: Path, code: int, name: str) -> None:
    class Ended(Stub):
        def start(self, *_: Any) -> Any:
            return type("Job", (), {"pid": 0, "poll": lambda _: code})()

    board = Memory([{"lr": 0.1}])
    with Stops() as stops:
        its = bench(tmp_path, spec(), stops, Ended(tmp_path / "runs"))
        agent.work(board, its, stops, count=None, tell=lambda _: None)
    assert board.given[0] == (0, f"killed by {name}, which nobody here sent")


def test_a_run_that_was_begun_and_never_noted_is_found(tmp_path: Path) -> None:
    """As when an agent is killed between the beginning of a run and its note of it."""
    from ctexp.sweeps.trials import Taken

    its = bench(tmp_path)
    board = Memory([{"lr": 0.3}])
    work(tmp_path, board)
    again = Memory([])
    again._waiting = [Taken(7, 0, 2, {"lr": 0.3}, {})]
    stub = Stub(tmp_path / "runs")
    with Stops() as stops:
        agent.work(again, bench(tmp_path, its.spec, stops, stub), stops, count=None, tell=lambda _: None)
    assert again.told[0][1].value == 0.3
    assert not stub.begun
    assert len(runs(tmp_path)) == 1
