"""Nobody is asked who cannot answer."""

import os
import sys
import time
from pathlib import Path

import pytest

from ctexp.core import screen


@pytest.mark.parametrize(("in_front", "asks"), [(True, True), (False, False)])
def test_in_the_background_of_a_terminal_nobody_is_asked(tmp_path: Path, in_front: bool, asks: bool) -> None:
    """A question there would stop the program for good: the terminal lets no background process read."""
    told = tmp_path / "told"
    # Between two tests, before any thread of this process holds a lock.
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setsid()
            parent, terminal = os.openpty()
            os.close(os.open(os.ttyname(terminal), os.O_RDWR))  # becomes that of the session
            if not in_front and (job := os.fork()):
                os.setpgid(job, job)
                os._exit(os.waitpid(job, 0)[1] >> 8)
            if not in_front:
                while os.getpgrp() != os.getpid():
                    time.sleep(0.001)
            sys.stdin, sys.stderr = os.fdopen(terminal), os.fdopen(os.dup(terminal), "w")
            told.write_text(str(screen.can_ask()))
            code = 0 * parent
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert told.read_text() == str(asks)
