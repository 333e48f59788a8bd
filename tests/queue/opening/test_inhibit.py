"""The machine stays awake as long as any process of the night lives, where somebody can see to it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ctexp.queue.opening.inhibit import inhibit_sleep
from tests.queue.attempts import lives
from tests.waiting import until

WORKS = """#!/bin/sh
echo $$ > "$FOLDER/holder"
echo "$@" > "$FOLDER/words"
while [ "${1#--}" != "$1" ]; do shift; done
"$@"
"""


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in the place of systemd-inhibit, which the test writes."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("FOLDER", str(tmp_path))
    return tmp_path / "systemd-inhibit"


def write(program: Path, text: str) -> None:
    program.write_text(text)
    program.chmod(0o755)


def test_it_is_held_until_the_last_process_has_ended(systemd: Path) -> None:
    write(systemd, WORKS)
    held = inhibit_sleep("the night of a plan")
    assert held is not None
    holder = int((systemd.parent / "holder").read_text())
    words = (systemd.parent / "words").read_text()
    assert words == "--what=sleep --who=ctexp --why=the night of a plan --mode=block cat\n"
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(99)"], pass_fds=[held]) as last:
        os.close(held)
        assert lives(holder)
        last.kill()
    until(lambda: not lives(holder))


@pytest.mark.parametrize("text", ["#!/bin/sh\nexit 1\n", "#!/bin/sh\nexec cat > /dev/null\n"])
def test_one_that_does_not_work_is_none(systemd: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctexp.queue.opening.inhibit._PATIENCE_SECONDS", 0.5)
    write(systemd, text)
    assert inhibit_sleep("why") is None


def test_where_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert inhibit_sleep("why") is None
