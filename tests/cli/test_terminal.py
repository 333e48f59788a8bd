"""On a terminal ctexp asks before it trains uncommitted code, and draws bars that no log ever sees."""

import sys
from pathlib import Path

import pexpect
import pytest

from ctexp.record.find import run_paths
from ctexp.record.run_dir import RunDir
from tests.project import TINY, add_tiny_set, make_project

INV = str(Path(sys.executable).with_name("inv"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = make_project(tmp_path / "project")
    add_tiny_set(folder)
    (folder / "extra.py").write_text("x = 1\n")
    return folder


def start(project: Path) -> pexpect.spawn:
    return pexpect.spawn(INV, ["train", *TINY], cwd=str(project), timeout=60, dimensions=(24, 100))


def test_no_is_a_refusal_that_leaves_nothing(project: Path) -> None:
    terminal = start(project)
    terminal.expect("uncommitted changes in code or configuration: 1 file \\(extra.py\\)")
    terminal.expect("Train all the same")
    terminal.sendline("")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 4
    assert not run_paths(project / "runs")


@pytest.mark.slow
def test_yes_trains_saves_the_patch_and_draws_bars_that_stay_out_of_the_log(project: Path) -> None:
    terminal = start(project)
    terminal.expect("Train all the same")
    terminal.sendline("y")
    terminal.expect("epoch 3/3")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0
    run = RunDir(run_paths(project / "runs")[0])
    assert "extra.py" in run.git_diff.read_text()
    log = run.train_log.read_text()
    assert "\x1b" not in log
    assert "\r" not in log
    assert log.count("epoch 3/3") == 1
