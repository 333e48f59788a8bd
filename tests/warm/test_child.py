"""A child is the process that its client would have started."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ctexp.core.locks import HELD, FileLock, passed_on
from ctexp.warm import standing_in
from tests.project import INV
from tests.waiting import until
from tests.warm.parents import Light


def about(project: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((project / "about.json").read_text())
    return found


@pytest.mark.skipif(sys.gettrace() is not None, reason="what counts branches handles signals itself")
def test_it_is_what_a_fresh_process_is(warm: Light) -> None:
    environment = warm.environment | {"NEW": "ä\n", "CTEXP_WARM": "somewhere", "TZ": "Asia/Tokyo"}
    before = os.umask(0o027)
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(333, limit[1]), limit[1]))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        subprocess.run([INV, "about"], cwd=warm.project, env=environment, check=True, start_new_session=True)
        fresh = about(warm.project)
        assert warm.start("about", environment=environment).wait(20) == 0
    finally:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)
        os.umask(before)
    forked = about(warm.project)
    assert fresh["umask"] == 0o027
    assert fresh["sighup"]
    assert fresh["sigint"]
    of_each = {"pid", "ppid", "draws", "environment", "open"}
    assert {name: forked[name] for name in forked.keys() - of_each} == {
        name: fresh[name] for name in fresh.keys() - of_each
    }
    # Beside the streams: the line to the client, and the descriptor that the listing itself needs.
    assert len(forked["open"]) == 3 + 2
    assert "CTEXP_WARM" in fresh["environment"]
    del fresh["environment"]["CTEXP_WARM"]
    assert forked["environment"] == fresh["environment"]


def test_numpy_gets_its_threads_back(light_at: Light) -> None:
    light_at.begin(OPENBLAS_NUM_THREADS="2")
    assert light_at.start("about").wait(20) == 0
    assert about(light_at.project)["threads"] == [2]


def test_children_draw_differently(warm: Light) -> None:
    draws = []
    for _ in range(2):
        assert warm.start("about").wait(20) == 0
        draws += about(warm.project)["draws"]
    assert len(set(draws)) == 4


def test_what_imports_have_made_is_each_child_s_own(light_at: Light, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    light_at.begin(TMPDIR=str(temporary))
    found = []
    for _ in range(2):
        assert light_at.start("belongings").wait(20) == 0
        found.append(json.loads((light_at.project / "belongings.json").read_text()))
        assert [path.name[:5] for path in temporary.iterdir()] == ["home-"], "it removed its own folder alone"
    one, other = found
    assert one["there"] == other["there"] == [True, True]
    assert one["folder"] != other["folder"]
    assert one["folder"].startswith(f"{temporary}/tmp")
    assert one["folder"].endswith("media")
    assert not one["passing"]
    assert one["by_chance"] != other["by_chance"]
    seeded = random.Random(7).random()
    assert {item[name] for item in found for name in ("by_number", "at_last")} == {seeded}
    light_at.close()
    assert list(temporary.iterdir()) == []


def test_streams_are_the_clients(warm: Light, tmp_path: Path) -> None:
    (tmp_path / "in").write_text("what was typed")
    with (
        (tmp_path / "in").open() as given,
        (tmp_path / "out").open("w") as out,
        (tmp_path / "err").open("w") as err,
    ):
        job = warm.start("say", streams=(given.fileno(), out.fileno(), err.fileno()))
        assert job.wait(20) == 0
    assert (tmp_path / "out").read_text() == "out what was typed\nat the end\n"
    assert (tmp_path / "err").read_text() == "err\n"


@pytest.mark.parametrize(("how", "code"), [("0", 0), ("3", 3), ("raise", 1), ("kill", -9), ("interrupt", 1)])
def test_its_end_is_told(warm: Light, tmp_path: Path, how: str, code: int) -> None:
    with (tmp_path / "err").open("w") as err:
        job = warm.start("end", f"--how={how}", streams=(0, 1, err.fileno()))
        fresh = subprocess.run(
            [INV, "end", f"--how={how}"], cwd=warm.project, capture_output=True, text=True, check=False
        )
        assert job.wait(20) == fresh.returncode == code
    of_invoke = (tmp_path / "err").read_text().splitlines()[-1:]
    assert of_invoke == fresh.stderr.splitlines()[-1:]


def test_descriptors_keep_their_numbers(warm: Light, tmp_path: Path) -> None:
    for number in (150, 200):
        with (tmp_path / "told").open("w+") as file:
            os.dup2(file.fileno(), number)
            try:
                assert warm.start("write", f"--descriptor={number}", descriptors=[number]).wait(20) == 0
            finally:
                os.close(number)
            file.seek(0)
            assert file.read() == "from the child"


def test_a_lock_is_held_as_long_as_the_child_lives(warm: Light) -> None:
    lock = FileLock(warm.project / "lock", "the lock")
    with lock:
        environment, descriptors = passed_on(lock, environment=warm.environment)
        assert environment[HELD] == str(lock.fileno())
        job = warm.start("wait", environment=environment, descriptors=descriptors)
        warm.comes("waiting")
    assert lock.is_held()
    job.send_signal(signal.SIGTERM)
    assert job.wait(20) == 143
    until(lambda: not lock.is_held())


def test_what_locks_and_referees_are_named_is_handed_over(tmp_path: Path) -> None:
    with (tmp_path / "one").open("w") as one, (tmp_path / "other").open("w") as other:
        named = {HELD: f"{one.fileno()},9999", "CTEXP_REFEREE": f"{other.fileno()} val/macro_f1"}
        assert standing_in.handed_over(named) == sorted([one.fileno(), other.fileno()])
    assert standing_in.handed_over({}) == []


def test_a_reader_that_goes_away_ends_it_as_a_fresh_one(warm: Light) -> None:
    for words in ([str(INV), "say"], [sys.executable, "-m", "invoke", "say"]):
        reading, writing = os.pipe()
        os.close(reading)
        fresh = subprocess.run(
            words,
            cwd=warm.project,
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=subprocess.PIPE,
            check=False,
        )
        job = warm.start("say", streams=(0, writing, 2))
        assert job.wait(20) == fresh.returncode
        os.close(writing)
