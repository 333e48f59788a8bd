"""Rows of a database that no agent can have written are told, and not believed."""

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from ctexp.core.errors import CtexpError, DataError
from ctexp.sweeps.trials import Taken, Told
from tests.sweeps.board.boards import Made, make, taken


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A sweep with a trial that has ended and one under way."""
    made = make(tmp_path_factory.mktemp("runs"))
    board = made.open()
    board.began(one := taken(board), "s42", "s-t0_1")
    board.finish(one, Told("finished", 0.5, 0.5))
    taken(board, "another")
    board.close()
    with sqlite3.connect(made.place.trials) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    shutil.copy(made.place.trials, made.place.path / "whole.db")
    return made


NOTES = "update trial_user_attributes set value_json ="


@pytest.mark.parametrize(
    "damage",
    [
        f"{NOTES} 'garbage'",
        f"{NOTES} '{{}}'",
        f"{NOTES} 'null'",
        f"{NOTES} '{{\"values\": 5}}' where key = 'chosen'",
        f"{NOTES} '{{\"s42\": 5}}' where key = 'runs'",
        f"{NOTES} '{{\"s42\": \"../../x\"}}' where key = 'runs'",
        "delete from trial_user_attributes where key = 'told'",
        "update trials set state = 'COMPLETE'",
        "update trials set state = 'x'",
        "update trial_heartbeats set heartbeat = 'x'",
        "update study_user_attributes set value_json = 'x'",
    ],
)
def test_what_makes_no_sense_is_refused(made: Made, damage: str) -> None:
    for end in ("", "-wal", "-shm"):
        Path(f"{made.place.trials}{end}").unlink(missing_ok=True)
    shutil.copy(made.place.path / "whole.db", made.place.trials)
    with sqlite3.connect(made.place.trials) as database:
        database.execute(damage)
    database.close()
    with pytest.raises(DataError, match="damaged"):
        made.open().rows()
    with pytest.raises(CtexpError):
        assert not isinstance(made.open().take("me"), Taken)


def test_a_pipe_in_the_place_of_the_file_is_not_waited_for(tmp_path: Path) -> None:
    from ctexp.sweeps.file.load import load

    os.mkfifo(tmp_path / "sweep.yaml")
    with pytest.raises(CtexpError, match="not a regular file"):
        load(tmp_path / "sweep.yaml", "sweep.yaml")
