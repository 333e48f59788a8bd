"""A step of the analysis: watched like a job, and no night ends by it."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ctexp.queue.journal import Event, uptime
from ctexp.queue.step import grace, time_left
from tests.queue.attempts import PROGRAM, Attempts, lives
from tests.queue.stories import Story
from tests.waiting import until

SAYS = (sys.executable, "-c", "import os; print('compared', os.environ['CTEXP_ROOT'])")
SLEEPS = ("/bin/sh", "-c", "echo $$ > pid; sleep 99")


def start(night: Attempts, *argv: str, **options: Any) -> subprocess.Popen[bytes]:
    words = [*PROGRAM, "step", "compare", "--", *argv]
    started: subprocess.Popen[bytes] = subprocess.Popen(
        words, cwd=night.root, env=night.environment, **options
    )
    return started


def steps(night: Attempts) -> list[Event]:
    return [event for event in night.writer.journal.read() if event["kind"] == "step"]


@pytest.fixture
def night(tmp_path: Path) -> Attempts:
    attempts = Attempts(tmp_path, grace_seconds=0.5)
    attempts.begin()
    return attempts


def test_a_step_is_shown_kept_and_written_down(night: Attempts) -> None:
    started = start(night, *SAYS, stdout=subprocess.PIPE)
    out, _ = started.communicate()
    assert started.returncode == 0
    assert out == f"compared {night.root}\n".encode()
    [step] = steps(night)
    assert (step["name"], step["argv"], step["exit_code"]) == ("compare", list(SAYS), 0)
    assert (night.queue.path / step["log"]).read_bytes() == out


@pytest.mark.parametrize(("argv", "code"), [(("/bin/sh", "-c", "exit 3"), 3), (("no-such-program",), 127)])
def test_one_that_fails_ends_no_night(night: Attempts, argv: tuple[str, ...], code: int) -> None:
    assert start(night, *argv).wait() == 0
    assert steps(night)[0]["exit_code"] == code


def test_it_has_what_is_left_and_at_least_what_was_kept_for_it(tmp_path: Path) -> None:
    night = Attempts(tmp_path, analysis_seconds=1.0)
    night.begin(closes_uptime=uptime() - 100)
    assert start(night, *SLEEPS).wait(20) == 0
    [step] = steps(night)
    assert step["exit_code"] == 124
    assert 0.7 < step["seconds"] < 15
    assert not lives(int((tmp_path / "pid").read_text()))


def test_all_steps_together_end_within_the_window(tmp_path: Path) -> None:
    night = Attempts(tmp_path, analysis_seconds=20.0)
    night.begin(closes_uptime=uptime() + 6.5)
    for _ in range(2):
        assert start(night, *SLEEPS).wait(20) == 0
    assert [step["exit_code"] for step in steps(night)] == [124]
    [note] = [event for event in night.writer.journal.read() if event["kind"] == "note"]
    assert note["text"] == "compare: not done, since nothing is left of the window"
    assert uptime() < night.writer.journal.read()[0]["closes_uptime"]


def test_the_page_has_time_after_the_last_step_was_killed() -> None:
    """It takes some seconds on a busy machine: of a reserve of a minute, of ten, of a quarter of one."""
    for analysis, least in ((60.0, 7.5), (600.0, 10.0), (15.0, 1.8)):
        story = Story(analysis_seconds=analysis, grace_seconds=120.0)
        story.begin(closes_uptime=1000.0)
        left = time_left(story.orders, story.night, 1000.0 - analysis)
        assert analysis / 2 < left < analysis
        assert analysis - left - grace(story.orders) >= least


def test_a_signal_ends_it_and_is_told(night: Attempts) -> None:
    started = start(night, *SLEEPS)
    until(lambda: (night.root / "pid").exists())
    started.send_signal(signal.SIGTERM)
    assert started.wait(20) == 143
    assert steps(night)[0]["exit_code"] == -15
