"""The side that wants a training: it hands over all that makes a process, and waits for the exit code.

Only the standard library, and little of it: this is on the way of every short training.
"""

import os
import select
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from ctexp.warm import wire
from ctexp.warm.place import peer
from ctexp.warm.request import Request

PATIENCE = 60.0
"""Seconds that a parent may need for its imports, or for others who came first."""

LOST = -int(signal.SIGKILL)
"""What a job counts as ended by whose end nobody has seen."""


_TELLING = 10.0
"""Seconds from a child's end until a parent that has not told it is taken to hang."""


class Refused(Exception):
    """The job has to run in a fresh process, and nothing of it has run; the text says why."""


class Lost(ChildProcessError):
    """The parent died or hangs as the job was to begin: it has ended, or will, if it ever began."""


class WarmJob:
    """A training on its way, much like a `subprocess.Popen`.

    Attributes:
        pid: of the child.
        returncode: None until it has ended; minus the signal where one ended it.
    """

    def __init__(self, line: socket.socket, pid: int, process: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._line = line
        self._process = process
        self._said = LOST
        self._ended_at: float | None = None

    def fileno(self) -> int:
        """Readable when `poll` may have something new; not to be asked for after the end."""
        return self._line.fileno()

    def poll(self) -> int | None:
        """Its exit code, once it has ended."""
        while self.returncode is None and select.select([self._line], [], [], 0)[0]:
            try:
                word, _ = wire.receive(self._line)
            except OSError:  # the parent is gone, and the child; it may have said its code before
                self._end(self._said)
                break
            if "ended" in word:
                self._end(word["ended"])
            else:
                self._said = word["said"]
        if self.returncode is None and self._is_overdue():
            self._end(self._said)
        return self.returncode

    def _is_overdue(self) -> bool:
        """Whether it ended so long ago that its parent would have said so."""
        if self._ended_at is None and select.select([self._process], [], [], 0)[0]:
            self._ended_at = time.monotonic()
        return self._ended_at is not None and time.monotonic() - self._ended_at > _TELLING

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises:
            TimeoutError: it has not come in so many seconds.
        """
        until = float("inf") if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if (left := until - time.monotonic()) <= 0:
                raise TimeoutError(f"process {self.pid} has not ended")
            if self._ended_at is None:
                watched = [self._line.fileno(), self._process]
                select.select(watched, [], [], None if timeout is None else left)
            else:
                select.select([self._line], [], [], min(left, _TELLING))
        return code

    def send_signal(self, signum: int) -> None:
        """Send the child a signal; nothing happens where it has ended."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._process, signum)

    def close(self) -> None:
        """Let go of it: where it has not ended, it is killed."""
        if self.returncode is None:
            self._end(LOST)

    def _end(self, code: int) -> None:
        self.returncode = code
        self._line.close()
        os.close(self._process)


def start(
    path: str | Path,
    argv: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: str | Path = ".",
    streams: tuple[int, int, int] = (0, 1, 2),
    descriptors: Sequence[int] = (),
    patience: float = PATIENCE,
) -> WarmJob:
    """Have a parent fork a child that does what `inv` does with these words.

    Args:
        path: the parent's socket.
        argv: as `sys.argv` is to be; `[program(), "train", …]` is what `python -m invoke train …` has.
        environment: the child's, whole.
        folder: that it begins in.
        streams: descriptors of its standard input, output and error.
        descriptors: others that it inherits, under their numbers here.
        patience: seconds that the parent may take to answer.

    Raises:
        Refused: it does not answer, or says no.
        Lost: it died or hangs meanwhile; the job is not run a second time without a look at what it has left.
    """
    if "SLURM_JOB_ID" in environment:
        raise Refused("under SLURM every job is a process of its own")
    request = Request.of_this_process(argv, environment, (0, 1, 2, *descriptors))
    line = socket.socket(socket.AF_UNIX)
    begun = False
    try:
        line.settimeout(patience)
        line.connect(str(path))
        if (user := peer(line)) != os.geteuid():
            raise Refused(f"{path} belongs to user {user}")
        place = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            wire.send(line, request.document(), [place, *streams, *descriptors])
        finally:
            os.close(place)
        _agreed(line)
        wire.send(line, {"go": True})
        # Whoever dies from here on, the job is not run a second time: it may have begun.
        begun = True
        job, process = _agreed(line)
        line.settimeout(None)
        return WarmJob(line, job["pid"], process[0])
    except OSError as error:
        line.close()
        if not begun:
            raise Refused(f"the warm trainer does not answer ({error})") from error
        raise Lost("the warm trainer died when a training was to begin") from error
    except BaseException:
        line.close()
        raise


def program() -> str:
    """What `sys.argv` begins with in `python -m invoke`."""
    spec = find_spec("invoke")
    return str(Path(spec.origin or "" if spec else "").with_name("__main__.py"))


def _agreed(line: socket.socket) -> tuple[dict[str, int], list[int]]:
    """What the parent answers, unless it refuses."""
    answer, descriptors = wire.receive(line)
    if "refused" in answer:
        raise Refused(answer["refused"])
    return answer, descriptors
