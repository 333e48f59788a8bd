"""Signals to a rendered script, in bash and on a terminal: they reach the job, and nothing is left."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from tests.planning.render import stub
from tests.planning.render.plans import plan_of, script_of
from tests.waiting import until

KEYS = ["resnet18-s42", "resnet18-s43"]

UNTIL_TERM = """
trap 'echo TERM >>heard; exit 143' TERM
touch started
while [[ ! -e go ]]; do sleep 0.02; done
"""
STUBBORN = """
trap 'echo TERM >>heard; [[ $(wc -l <heard) -lt 2 ]] || exit 143' TERM
touch started
while :; do sleep 0.02; done
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = stub.make_place(tmp_path / "place", script_of(plan_of()), KEYS)
    (path.parent.parent / "work").write_text(UNTIL_TERM)
    return path


@pytest.fixture
def terminal(script: Path) -> Iterator["pexpect.spawn[str]"]:
    """The script at work in a terminal of its own, its first job under way."""
    child = pexpect.spawn("bash", [str(script)], encoding="utf-8", timeout=20, env=stub.environment())
    until((script.parent.parent / "started").exists)
    yield child
    child.close(force=True)


def at_work(script: Path) -> "subprocess.Popen[bytes]":
    """The script in a session of its own, once its first job is under way."""
    night = subprocess.Popen(["bash", script], env=stub.environment(), start_new_session=True)
    until((script.parent.parent / "started").exists)
    return night


def session(leader: int) -> list[str]:
    """What runs in a session."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(entry.name)) == leader:
                found.append((entry / "cmdline").read_text())
        except OSError:
            continue
    return [command for command in found if command]  # none is left of what has ended


def has_terminal(leader: int) -> bool:
    """Whether a session still has one: see proc(5), `tty_nr`."""
    return Path(f"/proc/{leader}/stat").read_text().rpartition(")")[2].split()[4] != "0"


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_script_stops_job_and_night(script: Path, sent: signal.Signals) -> None:
    night = at_work(script)
    night.send_signal(sent)
    assert night.wait(timeout=20) == 128 + sent
    place = script.parent.parent
    assert (place / "heard").read_text() == "TERM\n"
    assert [call[1] for call in stub.calls(place)] == KEYS[:1]
    assert (place / "end").read_text() == f"{128 + sent}\n"
    until(lambda: not session(night.pid))


def test_control_c_stops_job_and_night(script: Path, terminal: "pexpect.spawn[str]") -> None:
    terminal.sendintr()
    terminal.expect("the night is over")
    terminal.expect(pexpect.EOF)
    terminal.wait()
    assert terminal.exitstatus == 130
    assert (script.parent.parent / "heard").read_text() == "TERM\n"
    assert (script.parent.parent / "end").read_text() == "130\n"
    until(lambda: not session(terminal.pid))


def test_a_second_signal_goes_through_too(script: Path) -> None:
    (script.parent.parent / "work").write_text(STUBBORN)
    night = at_work(script)
    heard = script.parent.parent / "heard"
    night.send_signal(signal.SIGINT)
    until(heard.exists)
    night.send_signal(signal.SIGTERM)
    assert night.wait(timeout=20) == 130
    assert heard.read_text() == "TERM\nTERM\n"
    until(lambda: not session(night.pid))


def test_the_night_goes_on_without_its_terminal(script: Path, terminal: "pexpect.spawn[str]") -> None:
    place = script.parent.parent
    leader = terminal.pid
    terminal.ptyproc.fileobj.close()
    until(lambda: not has_terminal(leader))
    assert session(leader)
    (place / "go").touch()
    until((place / "end").exists)
    until(lambda: not session(leader))
    assert (place / "end").read_text() == "0\n"
    assert not (place / "heard").exists()
    assert [call[1] for call in stub.calls(place)][:2] == KEYS
    assert "output of report\nthe night is over\n" in (place / "queue" / "queue.log").read_text()


def test_a_signal_between_jobs_begins_no_other(script: Path) -> None:
    place = script.parent.parent
    (place / "thought").write_text("touch started; sleep 0.3")
    night = at_work(script)  # `next` is
    night.terminate()
    assert night.wait(timeout=20) == 143
    assert not stub.calls(place)


def test_a_signal_in_the_analysis_stops_it(script: Path) -> None:
    place = script.parent.parent
    (place / "keys").write_text("")
    night = at_work(script)
    night.terminate()
    assert night.wait(timeout=20) == 143
    assert [call[1] for call in stub.calls(place)] == ["compare"]


def test_the_job_s_own_end_by_a_signal_ends_the_night(script: Path) -> None:
    place = script.parent.parent
    (place / "work").write_text("kill -TERM $$")
    assert stub.bash(script).returncode == 143
    assert [call[1] for call in stub.calls(place)] == KEYS[:1]


def test_a_reader_that_goes_away_does_not_end_the_night(script: Path) -> None:
    place = script.parent.parent
    (place / "go").touch()
    subprocess.run(["bash", "-c", 'bash "$0" | head -n 1', script], env=stub.environment(), check=True)
    until((place / "end").exists)
    assert (place / "end").read_text() == "0\n"
    assert "the night is over" in (place / "queue" / "queue.log").read_text()


def test_the_copy_runs_whatever_becomes_of_the_script(script: Path) -> None:
    night = at_work(script)
    place = script.parent.parent
    script.write_text("touch canary\n" * 2_000)  # in place: bash reads on in such a file
    (place / "go").touch()
    assert night.wait(timeout=20) == 0
    assert [call[1] for call in stub.calls(place)][:2] == KEYS
    assert not list(place.rglob("canary"))


ENDS_WITH_SEVEN = """
import pathlib, signal, time
signal.signal(signal.SIGTERM, lambda *_: None)
pathlib.Path("ready").touch()
until = time.monotonic() + 0.4
while time.monotonic() < until:
    time.sleep(0.01)
raise SystemExit(7)
"""


@pytest.mark.slow
def test_a_storm_of_signals_makes_no_code_that_nothing_ended_with(tmp_path: Path) -> None:
    """Bash may forget how a child ended that does so while it hears a signal."""
    rendered = script_of(plan_of())
    parts = [rendered[rendered.index(f"\n{name}() {{") :] for name in ("follow", "ended", "stop")]
    functions = "".join(part[: part.index("\n}\n") + 3] for part in parts)
    (tmp_path / "ends.py").write_text(ENDS_WITH_SEVEN)
    script = tmp_path / "script"
    variables = f"stopped= signals=0 child= others=() ending= rehearsing= queue=({sys.executable} -S)"
    script.write_text(
        f"{variables}\n{functions}\ntrap 'stop 143' TERM\nfollow ends.py 2>/dev/null\nexit $?\n"
    )
    for _ in range(12):
        (tmp_path / "ready").unlink(missing_ok=True)
        night = subprocess.Popen(["bash", script], cwd=tmp_path, stderr=subprocess.DEVNULL)
        until((tmp_path / "ready").exists)
        end = time.monotonic() + 30
        while night.poll() is None:
            night.send_signal(signal.SIGTERM)
            assert time.monotonic() < end, "it does not end"
            time.sleep(0.002)
        assert night.returncode in {7, 143}
