"""Nobody is asked who cannot answer, and a log hears of what takes long."""

import subprocess
import sys

import pytest

from ctexp.core import screen

ON_A_TERMINAL = """
import os, sys, time
from ctexp.core import screen

_, terminal = os.openpty()
os.close(os.open(os.ttyname(terminal), os.O_RDWR))  # it becomes that of the session
if sys.argv[1] == "behind":
    if job := os.fork():
        os.setpgid(job, job)
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(job, 0)[1]))
    while os.getpgrp() != os.getpid():
        time.sleep(0.001)
sys.stdin, sys.stderr = os.fdopen(terminal), os.fdopen(os.dup(terminal), "w")
print(screen.can_ask())
"""


@pytest.mark.parametrize(("where", "asks"), [("in front", "True"), ("behind", "False")])
def test_in_the_background_of_a_terminal_nobody_is_asked(where: str, asks: str) -> None:
    """A question there would stop the program for good: no background process may read from a terminal."""
    done = subprocess.run(
        [sys.executable, "-c", ON_A_TERMINAL, where],
        start_new_session=True,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stdout.strip() == asks


def test_in_a_log_a_long_step_is_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with screen.steps() as report:
        report("draw", 1, 3)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(screen, "_SILENT_SECONDS", 0.0)
    with screen.steps() as report:
        report("draw", 1_200, 3_000)
    assert capsys.readouterr().err == "draw: 1,200 of 3,000\n"
