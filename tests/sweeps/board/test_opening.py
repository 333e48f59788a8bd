"""Boards that cannot be opened, or no longer written."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from ctexp.core.errors import DataError, PreflightError
from ctexp.sweeps.trials import Told
from tests.sweeps.board.boards import a_spec, make, taken


def test_a_folder_may_be_called_anything(tmp_path: Path) -> None:
    runs = tmp_path / "a'; {b} %s #?& ü"
    made = make(runs)
    board = made.open()
    assert board.finish(taken(board), Told("finished", 0.5))
    assert [row.state for row in made.open().rows()] == ["finished", *["waiting"] * 5]


def test_a_database_that_is_missing_damaged_or_of_something_else_is_said_to_be(tmp_path: Path) -> None:
    made = make(tmp_path)
    made.place.trials.unlink()
    with pytest.raises(DataError, match=r"trials\.db: missing"):
        made.open()

    made.place.trials.write_bytes(b"not a database, but long enough to look at" * 200)
    with pytest.raises(DataError, match=r"trials\.db: damaged \(file is not a database"):
        made.open()

    made.place.trials.unlink()
    with sqlite3.connect(made.place.trials) as other:
        other.execute("CREATE TABLE cats (name TEXT)")
    other.close()
    with pytest.raises(DataError, match=r"trials\.db: no database of a sweep \(no such table"):
        made.open()

    stranger = make(tmp_path)
    made.place.trials.unlink()
    stranger.place.trials.rename(made.place.trials)
    with pytest.raises(DataError, match="does not know the sweep"):
        made.open()


def test_a_database_that_lost_its_pages_is_said_to_be_damaged(tmp_path: Path) -> None:
    made = make(tmp_path)
    content = made.place.trials.read_bytes()
    made.place.trials.write_bytes(content[:4096] + bytes(len(content) - 4096))
    with pytest.raises(DataError, match=r"trials\.db: damaged"):
        made.open().rows()


def test_a_sweep_that_was_not_finished_being_made_is_none(tmp_path: Path) -> None:
    made = make(tmp_path)
    with sqlite3.connect(made.place.trials) as cut:
        cut.execute("DELETE FROM study_user_attributes WHERE key = 'optuna'")
    cut.close()
    with pytest.raises(DataError, match="not finished being made"):
        made.open()


def test_tables_of_another_optuna_are_looked_at_before_they_are_used(tmp_path: Path) -> None:
    made = make(tmp_path)
    with sqlite3.connect(made.place.trials) as older:
        older.execute("UPDATE study_user_attributes SET value_json = '\"3.0.0\"' WHERE key = 'optuna'")
    older.close()
    assert len(made.open().rows()) == 6, "of the same version"
    with sqlite3.connect(made.place.trials) as older:
        older.execute("UPDATE alembic_version SET version_num = 'v2.6.0.a'")
    older.close()
    with pytest.raises(DataError, match=r"made by Optuna 3\.0\.0, whose tables"):
        made.open()


@pytest.mark.slow
def test_a_full_disk_ends_an_agent_with_an_error_of_its_own_and_damages_nothing(tmp_path: Path) -> None:
    made = make(tmp_path)
    program = f"""
import resource, sys
from pathlib import Path
from ctexp.core.errors import StorageError
from tests.sweeps.board.boards import Made, a_spec, taken
from ctexp.record.sweep import Sweep, SweepDir
place = SweepDir(Path({str(made.place.path)!r}))
board = Made(place, a_spec(), Sweep.read(place.record)).open()
trial = taken(board)
size = (place.path / "trials.db-wal").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))  # as a disk that has this much left for the file
try:
    for epoch in range(1000):
        board.report(trial, epoch, 0.5)
except StorageError as error:
    print(error)
    sys.exit(error.exit_code)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 5, done.stderr
    assert "trials.db" in done.stdout
    board = made.open(grace=-1.0)
    trial = taken(board)
    assert (trial.number, trial.attempt) == (0, 2)
    assert board.finish(trial, Told("finished", 0.5))


def test_a_server_that_cannot_be_reached_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(PreflightError, match=r"postgresql://me@localhost:1/sweeps") as refused:
        make(tmp_path, a_spec(storage="postgresql://me@localhost:1/sweeps"))
    assert refused.value.exit_code == 4
    assert "pgpass" in refused.value.hint
