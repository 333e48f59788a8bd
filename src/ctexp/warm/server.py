"""The parent: it imports everything, listens, and forks an isolated child for each job.

It runs no operator and has one thread, or a child would wait for ever for a thread that was not copied. It
keeps nothing of a job's: neither its locks nor its output. A job ends with its client, at once, as a fresh
process ends that is killed; where the parent itself dies, the kernel asks its children to end.

    python -P -m ctexp.warm.server --socket S --listening FD [--owner PID]
"""

import argparse
import contextlib
import os
import selectors
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from ctexp.core import screen
from ctexp.warm import preload, sources, wire
from ctexp.warm.child import become, farewell
from ctexp.warm.place import peer
from ctexp.warm.request import Request

_TALK_SECONDS = 2.0
"""A client says at once what it wants; the others wait meanwhile."""

_STOPS = (signal.SIGTERM, signal.SIGINT)


class _Refusal(Exception):
    """The job has to run in a fresh process."""


@dataclass(frozen=True)
class _Job:
    """A child, a descriptor that tells of its end, and the line to its client."""

    pid: int
    process: int
    line: socket.socket


class Server:
    """Serves one job after another, while it watches those on their way.

    Args:
        path: of the socket.
        listening: the socket.
        owner: the process it ends with; None for nobody.
    """

    def __init__(self, path: Path, listening: socket.socket, owner: int | None) -> None:
        self._path = path
        self._listening = listening
        self._open = True
        self._owner = owner
        self._stamp = sources.stamp()
        self._born = Request.of_this_process(sys.argv, os.environ)
        self._imported: dict[str, str | None] = {}
        self._selector = selectors.PollSelector()
        self._jobs: set[_Job] = set()

    def serve(self) -> None:
        """Work until it is stopped or the owner has ended, and no job is left; the process ends with it."""
        self._watch(self._listening, self._take)
        for signum in _STOPS:  # while it imports there is nothing to wait for
            signal.signal(signum, lambda *_: self._end())
        self._imported = preload.load()
        self._watch_owner()
        self._watch_signals()
        while self._open or self._jobs:
            for key, _ in self._selector.select():
                if key.fd in self._selector.get_map():  # not dropped by one that came before it
                    key.data()
        self._end()

    def _watch(self, what: int | socket.socket, then: Callable[[], None]) -> None:
        self._selector.register(what, selectors.EVENT_READ, then)

    def _watch_owner(self) -> None:
        if self._owner is None:
            return
        try:
            process = os.pidfd_open(self._owner)
        except ProcessLookupError:
            self._close()
            return

        def ended() -> None:
            self._selector.unregister(process)
            self._close()

        self._watch(process, ended)

    def _watch_signals(self) -> None:
        """The first SIGTERM or SIGINT lets the jobs on their way end, a second does not."""
        woken, waker = socket.socketpair()
        waker.setblocking(False)

        def asked() -> None:
            woken.recv(1)
            if not self._open:
                os._exit(128 + signal.SIGTERM)  # the kernel tells the children
            self._close()

        for signum in _STOPS:
            signal.signal(signum, lambda *_: None)
        signal.set_wakeup_fd(waker.fileno())
        self._watch(woken, asked)
        self._waker = waker

    def _close(self) -> None:
        """Take no more jobs."""
        if self._open:
            self._open = False
            self._selector.unregister(self._listening)
            self._listening.close()
            with contextlib.suppress(OSError):
                self._path.unlink()
                self._path.parent.rmdir()  # where it was the socket's alone

    def _end(self) -> NoReturn:
        """End at once: the libraries of torch have much to say when they are taken apart."""
        self._close()
        with contextlib.suppress(OSError):  # nobody is there to read it
            screen.note(f"the warm trainer at {self._path} has ended")
        os._exit(farewell(0))

    def _take(self) -> None:
        """Talk with the next client; afterwards its job is on its way, or refused, or it was a stranger."""
        with contextlib.suppress(OSError):  # it is gone; a job that was not said go to has not begun
            line, _ = self._listening.accept()
            try:
                taken = peer(line) == os.geteuid() and self._talk(line)
            except BaseException:
                line.close()
                raise
            if not taken:
                line.close()
                self._renew()

    def _talk(self, line: socket.socket) -> bool:
        """Hear what a client wants; whether its job is on its way."""
        line.settimeout(_TALK_SECONDS)
        document, descriptors = wire.receive(line)
        try:
            if sources.stamp() != self._stamp:
                raise _Refusal("the source has changed since the warm trainer began")
            request = Request.read(document)
            if len(descriptors) != len(request.numbers) + 1:
                raise _Refusal("not all descriptors have arrived")
            if why := request.refused_by(self._born) or preload.unfit():
                raise _Refusal(why)
            wire.send(line, {"ready": True})
            wire.receive(line)
            self._fork(request, descriptors, line)
        except (_Refusal, ValueError, TypeError, LookupError, AttributeError) as refusal:  # nonsense, too
            wire.send(line, {"refused": str(refusal)})
            return False
        finally:
            wire.close(descriptors)
        return True

    def _fork(self, request: Request, descriptors: list[int], line: socket.socket) -> None:
        parent = os.getpid()
        if why := preload.unfit():
            raise _Refusal(why)
        try:
            pid = os.fork()
        except OSError as error:
            raise _Refusal(f"the warm trainer cannot fork ({error.strerror})") from error
        if pid == 0:
            place, *inherited = descriptors
            become(request, place, inherited, line, parent=parent, imported=self._imported)
        job = _Job(pid, os.pidfd_open(pid), line)
        self._jobs.add(job)
        self._watch(line, lambda: self._abandoned(job))
        self._watch(job.process, lambda: self._ended(job))
        with contextlib.suppress(OSError):  # gone again: the line tells it as well
            wire.send(line, {"pid": pid}, [job.process])

    def _abandoned(self, job: _Job) -> None:
        """Kill the job whose client is gone."""
        self._selector.unregister(job.line)
        _kill(job.pid)

    def _ended(self, job: _Job) -> None:
        """Tell the client how its job ended; nothing that the job has started outlives it."""
        self._selector.unregister(job.process)
        with contextlib.suppress(KeyError):
            self._selector.unregister(job.line)
        _kill(job.pid)  # its number is not given away while it is not waited for
        _, status = os.waitpid(job.pid, 0)
        with contextlib.suppress(OSError):
            wire.send(job.line, {"ended": os.waitstatus_to_exitcode(status)})
        os.close(job.process)
        job.line.close()
        self._jobs.remove(job)
        self._renew()

    def _renew(self) -> None:
        """Begin anew, with the source as it is now, once no job is left."""
        if self._jobs or not self._open or sources.stamp() == self._stamp:
            return
        os.set_inheritable(self._listening.fileno(), True)
        program = command(self._path, self._listening, self._owner)
        farewell(0)
        os.execve(program[0], program, self._born.environment)  # noqa: S606 - without a shell


def _kill(pid: int) -> None:
    """Kill a child and its group; it may not have one yet, and then has started nothing."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError):
            kill(pid, signal.SIGKILL)


def command(path: Path, listening: socket.socket, owner: int | None) -> list[str]:
    """The program that serves a socket, for a process that inherits it."""
    words = ["--socket", str(path), "--listening", str(listening.fileno())]
    ends_with = [] if owner is None else ["--owner", str(owner)]
    return [sys.executable, "-P", "-m", "ctexp.warm.server", *words, *ends_with]


def main() -> None:
    """Serve as the command line says."""
    parser = argparse.ArgumentParser(prog="ctexp.warm.server")
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--listening", type=int, required=True)
    parser.add_argument("--owner", type=int)
    given = parser.parse_args()
    _let_go(given.listening)
    listening = socket.socket(fileno=given.listening)
    os.set_inheritable(listening.fileno(), False)
    Server(given.socket, listening, given.owner).serve()


def _let_go(kept: int) -> None:
    """Close what a shell or a script has left open: a lock among that would be held as long as this lives."""
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - names are all that is wanted
        if int(name) > 2 and int(name) != kept:
            with contextlib.suppress(OSError):  # that of the listing
                os.close(int(name))


if __name__ == "__main__":
    main()
