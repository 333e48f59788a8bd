"""A board on a PostgreSQL server, which agents of several machines share."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import psycopg
import pytest

from ctexp.core.errors import Busy, DataError, PreflightError, StorageError
from ctexp.sweeps.board import connection, locking
from ctexp.sweeps.board.opening import kept
from ctexp.sweeps.trials import Over, Told, Wait
from tests.sweeps.board.boards import SIX, WIDE, a_spec, make, taken, work
from tests.sweeps.board.killing import killed_again_and_again
from tests.sweeps.board.postgres import PROGRAMS, Server, a_server
from tests.sweeps.board.test_shared import score
from tests.sweeps.board.worker import SIXTY

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PROGRAMS.is_dir(), reason="Debian's package postgresql is not installed"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with a_server() as running:
        yield running


def test_a_grid_has_the_same_results_as_in_a_folder(tmp_path: Path, server: Server) -> None:
    there, here = make(tmp_path, a_spec(storage=server.url)), make(tmp_path)
    for made in (there, here):
        work(made.open(), score)
    of_server, of_folder = there.open().rows(), here.open().rows()
    assert [(row.number, row.values, row.value, row.state) for row in of_server] == [
        (row.number, row.values, row.value, row.state) for row in of_folder
    ]
    assert not there.place.trials.exists()
    assert there.place.progress.exists()


def test_draws_are_the_same_as_in_a_folder(tmp_path: Path, server: Server) -> None:
    spec, elsewhere = a_spec(WIDE, method="bayes", run_cap=12), {"storage": server.url}
    there = make(tmp_path, a_spec(WIDE, method="bayes", run_cap=12, **elsewhere))
    tried = [
        [trial.values for trial in work(made.open(), lambda values: -float(str(values["lr"])))]
        for made in (there, make(tmp_path, spec))
    ]
    assert tried[0] == tried[1]


def test_agents_killed_at_random_moments_lose_nothing_and_do_nothing_twice(
    tmp_path: Path, server: Server
) -> None:
    made = make(tmp_path, a_spec(SIXTY, storage=server.url))
    killed_again_and_again(made, tmp_path / "log", kills=8, seed=4)


def test_another_machine_finds_the_sweep_in_the_database(tmp_path: Path, server: Server) -> None:
    spec = a_spec(storage=server.url)
    made = make(tmp_path, spec)
    assert kept(server.url, made.sweep.id).sweep == made.sweep
    assert kept(server.url, "latest").sweep == made.sweep
    with pytest.raises(DataError, match="no sweeps 'other'"):
        kept(server.url, "other")
    with pytest.raises(PreflightError):
        kept(server.url.replace("/postgres", "/nothing"), "latest")


def test_clocks_and_time_zones_of_machines_do_not_matter(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make(tmp_path, a_spec(storage=server.url))
    monkeypatch.setenv("PGTZ", "Asia/Tokyo")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        board = made.open()
        board.finish(taken(board), Told("finished", 1.0))
        taken(board)
    finally:
        monkeypatch.undo()
        time.tzset()
    other = made.open()
    assert taken(other).number == 2, "the agent of trial 1 was heard of just now"
    ended, running = other.rows()[:2]
    assert ended.ended is not None
    assert running.seen is not None
    moments = [datetime.fromisoformat(text) for text in (ended.ended, running.seen)]
    assert abs((moments[1] - moments[0]).total_seconds()) < 60


def test_an_agent_waits_for_a_server_that_restarts(tmp_path: Path) -> None:
    with a_server() as server:
        made = make(tmp_path, a_spec(storage=server.url))
        board = made.open()
        trial = taken(board)
        server.stop()
        back = threading.Timer(3.0, server.start)
        back.start()
        assert not board.report(trial, 1, 0.5)
        back.join()
        server.stop()
        server.start()
        assert board.finish(trial, Told("finished", 0.5))
        assert board.finish(trial, Told("finished", 0.5)), "who asks again is told that it is noted"
        assert not board.finish(trial, Told("finished", 0.6))


def test_an_agent_gives_up_on_a_server_that_stays_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "PATIENCE", 1.0)
    with a_server() as server:
        board = make(tmp_path, a_spec(storage=server.url)).open()
        server.stop()
        with pytest.raises(StorageError, match=f"postgresql.*127.0.0.1:{server.port}") as lost:
            board.take("me")
        assert lost.value.exit_code == 5
        server.start()


def test_a_lock_ends_with_its_holder_and_is_not_waited_for_forever(tmp_path: Path, server: Server) -> None:
    made = make(tmp_path, a_spec(storage=server.url))
    board = made.open()
    program = f"""
import time
from tests.sweeps.board.boards import Made, a_spec
from ctexp.record.sweep import Sweep, SweepDir
from pathlib import Path
place = SweepDir(Path({str(made.place.path)!r}))
sweep = Sweep.read(place.record)
with Made(place, a_spec(storage=sweep.storage), sweep).open()._lock():
    print("held", flush=True)
    time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with psycopg.connect(server.url) as watch:
            hurried = made.open()
            with hurried._storage.engine.begin() as raw:
                raw.exec_driver_sql("SET lock_timeout = '500ms'")
            with pytest.raises(Busy, match="sweep's lock"):
                hurried.take("me")
            assert watch.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone() == (
                1,
            )
        holder.kill()
    assert taken(board).number == 0
    assert locking.PATIENCE == 60.0


def test_two_sweeps_of_one_database_do_not_meet(tmp_path: Path, server: Server) -> None:
    one, two = (make(tmp_path, a_spec(SIX, storage=server.url)).open() for _ in range(2))
    assert [taken(board).number for board in (one, two, one, two)] == [0, 0, 1, 1]
    assert two.take("me") != Wait(2)
    assert not isinstance(two.take("me"), Over)
