"""Whatever happens to the file, the answers are those of the directories, and nobody sees an error."""

import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from ctexp.core.locks import FileLock
from ctexp.record.index import Query, cache_file, list_runs, refresh, schema, select
from ctexp.record.result import Measurement
from ctexp.record.run_dir import RunDir
from tests.full_disk import fill, largest_file, small_disk
from tests.project import HERE
from tests.record import samples
from tests.record.index import anew

RUNS = 24


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs, and an index of them that believes itself: nothing has changed lately."""
    runs = tmp_path_factory.mktemp("made") / "runs"
    first = samples.run_of(runs)
    for n in range(1, RUNS):
        folder = runs / f"resnet50_20261122-{n:06d}_aaaaaa"
        shutil.copytree(first.path, folder)
    list_runs(runs)
    return runs


@pytest.fixture
def runs(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(refresh, "_TICK_NS", 0)
    shutil.copytree(made, tmp_path / "runs")
    list_runs(tmp_path / "runs")
    return tmp_path / "runs"


def change(runs: Path, accuracy: float = 0.5) -> None:
    """News of one run."""
    run = RunDir(sorted(runs.glob("resnet50_*"))[0])
    samples.result(run.id, metrics={"val/accuracy": Measurement(value=accuracy)}).write(run.result)


def agreed(runs: Path) -> None:
    assert list_runs(runs) == anew.runs_of(runs)
    best = Query(sort="val/accuracy", descending=True, limit=5)
    assert select(runs, best) == anew.answer(anew.runs_of(runs), best)


def sealed(runs: Path) -> bool:
    return (runs / cache_file.NAME).stat().st_mtime_ns == cache_file._SEAL


def test_an_index_is_made_and_used_again(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sealed(runs)
    monkeypatch.setattr(refresh, "summarise", lambda run: pytest.fail(f"{run.id} was read"))
    assert len(list_runs(runs)) == RUNS
    (runs / cache_file.NAME).unlink()
    monkeypatch.undo()
    agreed(runs)
    assert sealed(runs)


def flipped(path: Path, at: int, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1 << bit
    path.write_bytes(content)


@pytest.mark.parametrize("seed", range(3))
def test_flipped_bits_are_noticed(runs: Path, seed: int) -> None:
    dice, path = random.Random(seed), runs / cache_file.NAME
    for _ in range(8):
        flipped(path, dice.randrange(path.stat().st_size if dice.random() < 0.7 else 100), dice.randrange(8))
        agreed(runs)
        assert sealed(runs)


@pytest.mark.parametrize("length", [0, 1, 16, 60, 100, 4096, -1000, -1])
def test_a_truncated_index_is_noticed(runs: Path, length: int) -> None:
    path = runs / cache_file.NAME
    os.truncate(path, length if length >= 0 else path.stat().st_size + length)
    agreed(runs)
    assert sealed(runs)


@pytest.mark.parametrize("begin", [100, 4096, 3 * 4096])
def test_bytes_that_rot_without_a_trace_are_set_aside_where_sqlite_notices(
    runs: Path, begin: int, capsys: pytest.CaptureFixture[str]
) -> None:
    path = runs / cache_file.NAME
    content = path.read_bytes()
    path.write_bytes(content[:begin] + b"\xff" * (len(content) - begin))
    os.utime(path, ns=(cache_file._SEAL, cache_file._SEAL))
    agreed(runs)
    said = capsys.readouterr().err
    assert "kept as index.sqlite.damaged and made anew" in said
    assert said.count("\n") == 1
    assert (runs / "index.sqlite.damaged").exists()


def test_a_file_of_somebody_else_is_kept(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = runs / cache_file.NAME
    path.unlink()
    with sqlite3.connect(path) as theirs:
        theirs.execute("CREATE TABLE runs (id)")
    theirs.close()
    content = path.read_bytes()
    agreed(runs)
    assert (runs / "index.sqlite.damaged").read_bytes() == content
    assert "damaged, or no index of runs" in capsys.readouterr().err


def test_an_index_of_another_version_is_made_anew(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = runs / cache_file.NAME
    content = path.read_bytes()
    path.write_bytes(content[:60] + (schema.VERSION + 1).to_bytes(4) + content[64:])
    os.utime(path, ns=(cache_file._SEAL, cache_file._SEAL))
    agreed(runs)
    assert path.read_bytes()[60:64] == content[60:64]
    assert capsys.readouterr().err == ""


def test_what_is_in_the_way_costs_time_alone(runs: Path) -> None:
    (runs / cache_file.NAME).unlink()
    (runs / cache_file.NAME).mkdir()
    agreed(runs)
    shutil.rmtree(runs / cache_file.NAME)
    os.mkfifo(runs / cache_file.NAME)
    agreed(runs)
    (runs / cache_file.NAME).unlink()
    (runs / "index.lock").unlink()
    (runs / "index.lock").mkdir()
    agreed(runs)
    assert not (runs / cache_file.NAME).exists()


def test_while_another_is_at_it_the_directories_are_read(runs: Path) -> None:
    change(runs)
    with FileLock(runs / "index.lock", "the index"):
        agreed(runs)
    other = sqlite3.connect(runs / cache_file.NAME, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")  # as a person's own sqlite3 may do
    agreed(runs)
    other.close()
    agreed(runs)
    assert sealed(runs)


def test_a_file_that_may_not_grow_costs_time_alone(runs: Path) -> None:
    (runs / cache_file.NAME).unlink()
    with largest_file(20_000):
        agreed(runs)
    agreed(runs)
    assert sealed(runs)


def test_a_full_disk_costs_time_alone(made: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 4_000_000) as disk:
        shutil.copytree(made, disk / "runs", ignore=shutil.ignore_patterns("index*"))
        filler = fill(disk)
        agreed(disk / "runs")
        filler.unlink()
        agreed(disk / "runs")
        assert sealed(disk / "runs")


ASK = """
import json, sys
from pathlib import Path
from ctexp.record.index import list_runs
print(json.dumps([[run.id, run.metrics["val/accuracy"]] for run in list_runs(Path(sys.argv[1]))]))
"""


def asked(runs: Path, *before: str, program: str = ASK) -> subprocess.Popen[str]:
    words = [*before, sys.executable, "-c", program, str(runs)]
    return subprocess.Popen(words, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_several_at_once_answer_the_same(runs: Path) -> None:
    (runs / cache_file.NAME).unlink()
    change(runs)
    answers = [process.communicate(timeout=60) for process in [asked(runs) for _ in range(3)]]
    expected = [[run.id, run.metrics["val/accuracy"]] for run in anew.runs_of(runs)]
    for out, err in answers:
        assert err == ""
        assert json.loads(out) == expected
    agreed(runs)
    assert sealed(runs)


ORDINARY = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root may write anywhere")
def test_a_read_only_folder_needs_no_cache(runs: Path) -> None:
    (runs / cache_file.NAME).unlink()
    (runs / "index.lock").unlink()
    runs.chmod(0o555)
    secret = sorted(runs.glob("resnet50_*"))[3]
    secret.chmod(0o000)
    program = ASK.replace('["val/accuracy"]', '.get("val/accuracy")')
    try:
        out, err = asked(runs, *ORDINARY, program=program).communicate(timeout=60)
    finally:
        secret.chmod(0o755)
        runs.chmod(0o755)
    assert err == ""
    assert {name: value is None for name, value in json.loads(out)} == {
        run.id: run.id == secret.name for run in anew.runs_of(runs)
    }
    assert not (runs / cache_file.NAME).exists()


KILLED = """
import itertools, os, signal, sys
from pathlib import Path
from ctexp.record import index
from ctexp.record.index import cache_file, opened, refresh, schema

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def small_pages(path):
    connection = connect(path)
    connection.execute("PRAGMA cache_size = 1")  # what is written goes to the file at once
    return connection

def some(*words):
    die() if next(count) == 20 else put(*words)

count, connect, put = itertools.count(), schema.connect, schema.put
refresh._TICK_NS = 0
schema.connect = small_pages
"""
DEATHS = {
    "before the first page": "cache_file.break_seal = die",
    "the seal broken": "opened.bring_up_to_date = die",
    "in the middle": "schema.put = some",
    "not sealed yet": "cache_file.seal = die",
}


@pytest.mark.parametrize("death", DEATHS)
def test_a_kill_at_any_point_costs_time_alone(runs: Path, death: str) -> None:
    for path in runs.glob("resnet50_*"):
        (path / "news").touch()
    change(runs)
    child = asked(runs, program=f"{KILLED}\n{DEATHS[death]}\nindex.list_runs(Path(sys.argv[1]))")
    _, err = child.communicate(timeout=60)
    assert child.returncode == -signal.SIGKILL, err
    agreed(runs)
    assert sealed(runs)


FOREVER = """
while True:
    for path in sorted(Path(sys.argv[1]).glob("resnet50_*")):
        (path / "news").touch()
        (path / "news").unlink()
        index.list_runs(Path(sys.argv[1]))
        print(path, flush=True)
"""


def test_kills_at_any_moment_cost_time_alone(runs: Path) -> None:
    dice = random.Random(7)
    for accuracy in (0.1, 0.2, 0.3):
        child = asked(runs, program=KILLED + FOREVER)
        assert child.stdout is not None
        child.stdout.readline()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(dice.uniform(0, 0.1))
        child.kill()
        _, err = child.communicate(timeout=60)
        assert err == ""
        change(runs, accuracy)
        agreed(runs)
        assert sealed(runs)
