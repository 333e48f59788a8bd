"""The embedded board under agents that are killed."""

import sqlite3
from pathlib import Path

import pytest

from tests.sweeps.board.boards import a_spec, make
from tests.sweeps.board.killing import killed_again_and_again
from tests.sweeps.board.worker import SIXTY


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_agents_killed_at_random_moments_lose_nothing_and_do_nothing_twice(tmp_path: Path, seed: int) -> None:
    made = make(tmp_path, a_spec(SIXTY))
    killed_again_and_again(made, tmp_path / "log", kills=8, seed=seed)
    with sqlite3.connect(made.place.trials) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("SELECT count(*) FROM trials").fetchall() == [(60,)]
    database.close()
