"""What a program writes is in its log at once, and on the screen as far as that takes it."""

import os
import subprocess
import sys
from pathlib import Path

from ctexp.queue.attempting.output import Output
from tests.waiting import until

SHOWS = """
import sys, time
from pathlib import Path
from ctexp.queue.attempting.output import Output
with Output(Path(sys.argv[1])) as output:
    output.say("begins")
    began = time.monotonic()
    for _ in range(3):
        output.show(0.1)
    output.show_rest()
    output.say(f"{time.monotonic() - began < 5}")
"""


def test_what_was_there_is_not_shown_again_and_the_rest_is_in_order(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "a.log"
    log.parent.mkdir()
    log.write_text("of an earlier start\n")
    code = SHOWS.replace(
        "    began", "    import os; os.write(output.descriptor, b'x' * 99_999 + b'.\\n')\n    began"
    )
    done = subprocess.run([sys.executable, "-c", code, log], capture_output=True, check=True)
    assert done.stdout == b"x" * 99_999 + b".\n"
    assert done.stderr == b"begins\nTrue\n"
    assert log.read_bytes() == b"of an earlier start\n" + done.stdout


def test_a_screen_that_is_not_read_keeps_room_for_others(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    code = SHOWS.replace("    began", "    import os; os.write(output.descriptor, bytes(99_999))\n    began")
    with subprocess.Popen(
        [sys.executable, "-c", code, log], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as slow:
        assert slow.wait(20) == 0
        assert slow.stdout is not None
        assert slow.stderr is not None
        assert 16_384 <= len(slow.stdout.read()) <= 20_480
        assert slow.stderr.read() == b"begins\nTrue\n"


def test_a_program_writes_on_when_nobody_shows_it(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    with (
        Output(log) as output,
        subprocess.Popen(["/bin/sh", "-c", "sleep 0.3; echo done"], stdout=output.descriptor),
    ):
        os.truncate(log, 0)
    until(lambda: log.read_text() == "done\n")
