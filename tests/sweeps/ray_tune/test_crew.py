from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ctexp.core.errors import Busy, StorageError
from ctexp.sweeps.agent.stopping import Stops
from ctexp.sweeps.agent.tally import Tally
from ctexp.sweeps.ray_tune import crew as room
from ctexp.sweeps.ray_tune.crew import Crew, Leave
from ctexp.sweeps.ray_tune.words import refusal, refused
from ctexp.sweeps.space import Values
from ctexp.sweeps.trials import Taken
from tests.sweeps.agent.benches import Memory, bench


class Lost(Memory):
    def beat(self, taken: Taken) -> bool:
        del taken
        raise StorageError("the database is gone")


class Aboard:
    """A crew with a board in memory."""

    def __init__(
        self, folder: Path, trials: Sequence[Values], count: int | None = None, board: Any = Memory
    ) -> None:
        self.board = board(trials)
        self.stops = Stops()
        self.said: list[str] = []
        tally = Tally(self.board, bench(folder), self.stops, count=count, tell=self.said.append)
        self.summary = tally.summary
        self.crew = Crew(self.board, tally, self.stops, self.said.append)


FINISHED = {
    "told": {"state": "finished", "value": 0.5, "mean": 0.5, "error": None, "problem": "", "seconds": 2}
}
TWO: list[Values] = [{"lr": 0.1}, {"lr": 0.2}]


def test_what_the_cluster_tells_of_a_trial_stands_on_the_board(tmp_path: Path) -> None:
    aboard = Aboard(tmp_path, TWO)
    taken = aboard.crew.take("a")
    assert taken is not None
    assert taken.values == {"lr": 0.1}
    aboard.crew.hear("a", {"runs": {"s42": "tiny-t0_1"}})
    aboard.crew.hear("a", {"runs": {"s42": "tiny-t0_1"}, "epoch": 1, "value": 0.25})
    aboard.crew.hear("a", {"runs": {"s42": "tiny-t0_1"}, **FINISHED, "done": True})
    aboard.crew.end("a", lost=False)
    aboard.crew.tend()
    assert aboard.board.runs == {0: {"s42": "tiny-t0_1"}}
    assert aboard.board.curves == {0: [(1, 0.25)]}
    assert [(number, told.state, told.value) for number, told in aboard.board.told] == [(0, "finished", 0.5)]
    assert aboard.summary.trials == {"finished": 1}


def test_a_trial_that_tune_leaves_behind_is_pruned_and_has_cost_what_it_has(tmp_path: Path) -> None:
    aboard = Aboard(tmp_path, TWO)
    aboard.crew.take("a")
    aboard.crew.hear("a", {"runs": {}, "epoch": 1, "value": 0.1, "time_total_s": 7.5})
    aboard.crew.end("a", lost=False)
    aboard.crew.tend()
    ((number, told),) = aboard.board.told
    assert (number, told.state, told.value, told.seconds) == (0, "pruned", None, 7.5)


def test_a_trial_whose_node_failed_is_left_to_the_board_which_counts_its_attempts(tmp_path: Path) -> None:
    aboard = Aboard(tmp_path, TWO)
    aboard.crew.take("a")
    aboard.crew.end("a", lost=True)
    aboard.crew.tend()
    assert (aboard.board.told, aboard.board.given) == ([], [])
    assert aboard.said[-1].startswith("t0: its node or its actor failed")


def test_count_holds_for_what_is_under_way_too(tmp_path: Path) -> None:
    aboard = Aboard(tmp_path, [*TWO, {"lr": 0.3}], count=2)
    assert aboard.crew.take("a") is not None
    assert aboard.crew.take("b") is not None
    assert aboard.crew.take("c") is None
    assert aboard.crew.over == "--count 2"


def test_without_more_trials_tune_is_told_why(tmp_path: Path) -> None:
    aboard = Aboard(tmp_path, [])
    assert aboard.crew.take("a") is None
    assert aboard.crew.over == "the grid is done"


def test_asked_to_stop_it_leaves_at_once_and_gives_back_what_was_under_way(tmp_path: Path) -> None:
    aboard = Aboard(tmp_path, TWO)
    aboard.crew.take("a")
    aboard.crew.hear("a", {"runs": {"s42": "tiny-t0_1"}})
    aboard.stops.signum = 15
    with pytest.raises(Leave):
        aboard.crew.tend()
    assert [(one.taken.number, one.runs) for one in aboard.crew.under_way] == [(0, {"s42": "tiny-t0_1"})]
    aboard.crew.give_back("stopped by SIGTERM")
    assert aboard.board.given == [(0, "stopped by SIGTERM")]


def test_tune_cannot_swallow_a_board_that_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    aboard = Aboard(tmp_path, TWO, board=Lost)
    aboard.crew.take("a")
    monkeypatch.setattr(room, "BEAT_SECONDS", 0.0)
    with pytest.raises(Leave) as left:
        aboard.crew.tend()
    assert isinstance(left.value.__cause__, StorageError)
    assert not isinstance(left.value, Exception)


def test_the_living_give_signs_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    aboard = Aboard(tmp_path, TWO)
    aboard.crew.take("a")
    aboard.crew.take("b")
    monkeypatch.setattr(room, "BEAT_SECONDS", 0.0)
    aboard.crew.tend()
    assert aboard.board.beats == 2


def test_what_refuses_a_training_on_a_node_ends_the_driver_with_the_same_error(tmp_path: Path) -> None:
    aboard = Aboard(tmp_path, TWO)
    aboard.crew.take("a")
    sent = refused(Busy("the GPU is in use", "wait"))
    aboard.crew.hear("a", {"runs": {}, "unfinished": "the GPU is in use", "refusal": sent, "done": True})
    aboard.crew.end("a", lost=False)
    with pytest.raises(Leave) as left:
        aboard.crew.tend()
    assert isinstance(left.value.__cause__, Busy)
    assert left.value.__cause__.hint == "wait"
    assert aboard.board.given == [(0, "the GPU is in use")]


def test_errors_cross_the_cluster_whole() -> None:
    came = refusal(refused(StorageError(["the disk is full", "so is the other"], "make room")))
    assert isinstance(came, StorageError)
    assert (came.problems, came.hint) == (("the disk is full", "so is the other"), "make room")
    assert refusal(refused(None)) is None
