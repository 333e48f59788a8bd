"""Many agents on one sweep, some of them killed at random: no trial is lost, none is counted twice."""

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ctexp.record.run_dir import RunDir
from ctexp.record.sweep import Sweep, SweepDir
from ctexp.sweeps.agent import work as agent
from ctexp.sweeps.agent.stopping import Stops
from ctexp.sweeps.board.opening import open_board
from ctexp.sweeps.board.shared import SharedBoard
from ctexp.sweeps.file.load import load
from ctexp.sweeps.file.spec import Spec
from ctexp.sweeps.space import Choice, Parameter, Space
from ctexp.sweeps.trials import Row
from tests.faults.runs import essence
from tests.project import TINY, git, inv
from tests.sweeps.agent.benches import bench, spec

AGENTS = 4
COUNT = 12


def test_agents_killed_at_random_neither_lose_nor_repeat_a_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent, "BEAT_SECONDS", 0.3)
    its = a_grid(COUNT)
    board_of(tmp_path, its, create=True).close()

    agents = [forked(lambda: be_agent(tmp_path, its)) for _ in range(AGENTS)]
    rng = random.Random(8)
    for killed in agents[:2]:
        time.sleep(rng.uniform(0.1, 0.3))
        os.kill(killed, signal.SIGKILL)
    assert [ended(pid) for pid in agents] == [-signal.SIGKILL, -signal.SIGKILL, 0, 0]

    rows = board_of(tmp_path, its).rows()
    assert_each_once(tmp_path, rows, COUNT)
    assert [row.value for row in rows] == [row.values["lr"] for row in rows]
    for run in trial_runs(tmp_path):
        if run.state() != "finished":  # its agent died before there was anything to go on with
            continue
        # An agent that dies takes no epoch with it: its training saved what it had.
        assert (run.path / "trained.txt").read_text().split() == ["1", "2", "3"], run.id


def a_grid(count: int) -> Spec:
    lr = Choice(tuple(round(0.02 + 0.9 * n / count, 4) for n in range(count)))
    return spec(space=Space((Parameter("lr", lr), Parameter("pause", Choice((0.03,))))))


def board_of(root: Path, its: Spec, *, create: bool = False) -> SharedBoard:
    place = bench(root, its)
    return open_board(place.place, its, place.sweep, lambda values: str(values), create=create, grace=2.5)


def be_agent(root: Path, its: Spec) -> None:
    with Stops() as stops:
        agent.work(board_of(root, its), bench(root, its, stops), stops, count=None, tell=lambda _: None)


def forked(act: Callable[[], None]) -> int:
    if pid := os.fork():
        return pid
    code = 1
    try:
        act()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def ended(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def trial_runs(root: Path) -> list[RunDir]:
    return [RunDir(path) for path in sorted((root / "runs").glob("*-t*_*"))]


def values(rows: list[Row]) -> dict[str, float | None]:
    return {str(sorted(row.values.items())): row.value for row in rows}


def assert_each_once(root: Path, rows: list[Row], count: int) -> None:
    """Every cell is finished, by a run of its own, and no other run of it has finished."""
    assert [row.state for row in rows] == ["finished"] * count
    assert len(values(rows)) == count
    counted = [run for row in rows for run in row.runs.values()]
    assert len(set(counted)) == count
    finished = [run for run in trial_runs(root) if run.read().state == "finished"]
    assert sorted(run.id for run in finished) == sorted(counted)
    names = Counter(run.id.rsplit("_", 2)[0] for run in finished)
    assert set(names.values()) == {1}
    (database,) = (root / "runs" / "sweeps").glob("*/trials.db")
    with contextlib.closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_sixty_real_trials_of_four_agents_of_which_two_are_killed_are_those_of_one(project: Path) -> None:
    learning_rates = [round(1e-3 * 1.1**n, 8) for n in range(30)]
    (project / "conf/sweep/sixty.yaml").write_text(
        f"""
method: grid
metric: {{name: val/loss, goal: minimize}}
parameters:
  optimizer.lr: {{values: {learning_rates}}}
  optimizer.weight_decay: {{values: [0.0, 0.05]}}
ctexp:
  overrides: {[word for word in TINY if not word.startswith("trainer.max_epochs")]}
"""
    )
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message=a sweep")
    short = "trainer.max_epochs=2"
    inv(project, "sweep", "--config", "sixty", "--no-pilot", "run.name=alone", short)
    inv(project, "sweep-agent", "--sweep-id", "alone")
    inv(project, "sweep", "--config", "sixty", "--no-pilot", "run.name=four", short)

    agents = [started(project, "sweep-agent", "--sweep-id", "four") for _ in range(AGENTS)]
    rng = random.Random(60)
    for killed in agents[:2]:
        time.sleep(rng.uniform(20, 40))
        assert killed.poll() is None, "too late: it had nothing left to do"
        killed.kill()
    assert [one.wait() for one in agents] == [-signal.SIGKILL, -signal.SIGKILL, 0, 0]

    alone, four = rows_of(project, "alone"), rows_of(project, "four")
    for name, rows in (("alone", alone), ("four", four)):
        assert [row.state for row in rows] == ["finished"] * 60, name
        assert len({run for row in rows for run in row.runs.values()}) == 60
    assert values(four) == values(alone)
    finished = [run.id for run in trial_runs(project) if run.read().state == "finished"]
    assert sorted(finished) == sorted(run for row in (*alone, *four) for run in row.runs.values())
    by_values = {str(row.values): row.runs["s42"] for row in alone}
    for row in four:
        its, other = (RunDir(project / "runs" / run) for run in (row.runs["s42"], by_values[str(row.values)]))
        assert essence(its) == essence(other), row.values


def started(project: Path, *words: str) -> subprocess.Popen[bytes]:
    """An agent as a person starts it."""
    return subprocess.Popen(
        [sys.executable, "-m", "invoke", *words],
        cwd=project,
        env=clean(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


def clean(variables: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in variables.items() if not key.startswith(("CTEXP_", "WANDB_"))}


def rows_of(project: Path, name: str) -> list[Row]:
    place = SweepDir.find(project / "runs", name)
    sweep = Sweep.read(place.record)
    its = load(place.file, sweep.file, sweep.overrides)
    board = open_board(place, its, sweep, lambda values: str(values))
    try:
        return board.rows()
    finally:
        board.close()
