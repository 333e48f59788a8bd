"""What stands between a fork and `inv`: the child becomes the process that the client would have started."""

import atexit
import ctypes
import fcntl
import os
import resource
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from ctexp.core.parent_death import die_with_parent
from ctexp.warm import own, preload, wire
from ctexp.warm.request import WARM, Request

_libc = ctypes.PyDLL(None)


def become(
    request: Request,
    place: int,
    descriptors: Sequence[int],
    line: socket.socket,
    *,
    parent: int,
    imported: Mapping[str, str | None],
) -> NoReturn:
    """Carry out the job, in a process that has just been forked, and end.

    Args:
        request: the job.
        place: a descriptor of its folder.
        descriptors: what it inherits, in the order of the request's numbers.
        line: to the client, who is told the exit code.
        parent: the process it was forked from.
        imported: what imports do to the environment.
    """
    code = 1
    try:
        die_with_parent(_libc)
        if os.getppid() != parent:  # it died before it could be told
            os._exit(128 + signal.SIGTERM)
        os.setsid()
        line = _rearrange(request.numbers, descriptors, place, line)
        os.register_at_fork(after_in_child=line.close)  # a worker that outlives the job lets go of it
        _surround(request, imported)
        code = _program(request.argv)
    except BaseException:
        traceback.print_exc()
    finally:
        code = farewell(code)
        with suppress(OSError):  # the client is gone
            wire.send(line, {"said": code})
        os._exit(code)


def _rearrange(
    numbers: Sequence[int], descriptors: Sequence[int], place: int, line: socket.socket
) -> socket.socket:
    """Give every descriptor the number that it has with the client, and close all that is not this job's."""
    os.fchdir(place)
    beyond = max(numbers) + 1
    aside = [fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, beyond) for one in descriptors]
    kept = fcntl.fcntl(line, fcntl.F_DUPFD_CLOEXEC, beyond)
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - names are all that is wanted
        if int(name) not in {0, 1, 2, kept, *aside}:
            with suppress(OSError):  # that of the listing
                os.close(int(name))
    for one, number in zip(aside, numbers, strict=True):
        os.dup2(one, number)
        os.close(one)
    line.detach()
    return socket.socket(fileno=kept)


def _surround(request: Request, imported: Mapping[str, str | None]) -> None:
    """Take over what a process has from the one that started it, as Python finds it at its own start."""
    signal.set_wakeup_fd(-1)
    for signum in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        if signum in request.ignored or signum in {signal.SIGPIPE, signal.SIGXFSZ}:
            signal.signal(signum, signal.SIG_IGN)
        elif signal.getsignal(signum) is not signal.SIG_DFL:
            signal.signal(signum, signal.SIG_DFL)
    if signal.SIGINT not in request.ignored:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, set())
    os.umask(request.umask)
    for kind, limits in request.limits.items():
        resource.setrlimit(kind, limits)
    os.setpriority(os.PRIO_PROCESS, 0, request.nice)
    environment: dict[str, str | None] = {**request.environment, **imported}
    environment.pop(WARM, None)  # it would ask the parent for itself
    os.environ.clear()
    os.environ.update({name: value for name, value in environment.items() if value is not None})
    time.tzset()
    own.renew()
    preload.give_threads_back(request.environment)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=stream is sys.stderr or stream.isatty())  # type: ignore[union-attr]


def _program(argv: Sequence[str]) -> int:
    """What `inv` does."""
    program = Path(argv[0])
    main = ModuleType("__main__")
    main.__file__ = argv[0]
    sys.modules["__main__"] = main
    sys.argv = list(argv)
    sys.path.insert(0, str(Path.cwd() if program.name == "__main__.py" else program.parent))
    from invoke.main import program as inv

    try:
        inv.run()
    except SystemExit as end:
        return _code(end.code)
    except KeyboardInterrupt:
        traceback.print_exc()
        farewell(1)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _code(said: Any) -> int:
    """The exit code that `sys.exit` makes of what it is given."""
    if said is None:
        return 0
    if isinstance(said, int):
        return said & 0xFF
    print(said, file=sys.stderr)
    return 1


def farewell(code: int) -> int:
    """Do what Python does at its end, but for taking everything apart, which takes a second.

    Returns:
        The exit code: the given one, unless output could not be written.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    try:
        sys.stderr.flush()
        sys.stdout.flush()
    except OSError:
        return 120  # Python's own, for output that could not be written
    return code
