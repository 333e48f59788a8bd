"""A program that an executor carries out, seen by whoever started `carry`."""

import signal
import subprocess
from pathlib import Path

from ctexp.executors.carry import words_of
from tests.project import make_project


def test_its_output_signals_and_exit_code_are_those_of_the_program(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    script = "pwd; trap 'echo heard; exit 7' TERM; echo ready; sleep 60 & wait"
    process = subprocess.Popen(
        words_of("local", "try", ["sh", "-c", script]), cwd=project, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == f"{project}\n"
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert (said, process.returncode) == ("heard\n", 7)


def test_what_cannot_be_carried_is_refused_in_one_line(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    done = subprocess.run(
        words_of("loca", "try", ["true"]), cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("UsageError: --executor: 'loca' is none; did you mean 'local'?")
    assert done.stderr.count("\n") == 1
