"""How a signature in tasks.py becomes a verb: loaded when called, ended with a documented exit code.

A verb is a function of `ctexp.cli` that takes the task's flags as keyword arguments. It raises a `CtexpError`
for what a user can act on, and returns nothing, or the exit code of an outcome it has already told.
"""

import functools
import inspect
import os
import select
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

# Everything else is imported by a verb that runs: this module is loaded by `inv --list` too.

PIPE_CLOSED = 128 + signal.SIGPIPE
"""The exit code of a verb whose reader went away (`inv runs | head`), as a shell reports it."""

_AGAIN = "the same command begins it again"
"""What a verb that keeps nothing of its own says when it is stopped."""

_SHARED = {
    "debug": "show the traceback of an error",
    "json": "print the result as one JSON document on stdout",
    "override": "the same as a bare KEY=VALUE",
    "yes": "train with uncommitted changes without being asked",
}
"""What these flags mean, whichever verb has them."""

_begun: list[str] = []
"""The verbs of this command line so far."""


class _Terminated(BaseException):
    """SIGTERM, as KeyboardInterrupt is SIGINT.

    Many a library tries an import and does without it, whatever the exception; no `except Exception` on the
    way is meant to hold up an end that was asked for.
    """


def verb(
    target: str, *, warm: bool = False, help: Mapping[str, str] | None = None, **options: Any
) -> Callable[[Callable[..., None]], Any]:
    """Make an Invoke task of a signature whose docstring is its help; the work is done elsewhere.

    Args:
        target: `module:function` below `ctexp.cli`, imported when the task is called.
        warm: whether a warm trainer does it, where `CTEXP_WARM` names one.
        help: what its own flags mean; every verb has `--debug` too.
        options: what `invoke.task` takes: `iterable`, `positional`, `name`.
    """

    def declare(signature: Callable[..., None]) -> Any:
        own = inspect.signature(signature)
        debugged = inspect.Parameter("debug", inspect.Parameter.KEYWORD_ONLY, default=False)
        parameters = {**own.parameters, "debug": debugged}

        @functools.wraps(signature)
        def call(_context: Context, /, *, debug: bool = False, **flags: Any) -> None:
            _begun.append(target)
            # It would do the whole command line, also what has been done of it.
            if warm and len(_begun) == 1 and (socket := os.environ.get("CTEXP_WARM")):
                _hand_over(socket)
            perform(target, flags, debug=debug)

        call.__signature__ = own.replace(parameters=[*parameters.values()])  # type: ignore[attr-defined]
        shared = {name: said for name, said in _SHARED.items() if name in parameters}
        # Short flags are picked by chance of the alphabet: one more flag would give an old one a new letter.
        return task(auto_shortflags=False, help=shared | dict(help or {}), **options)(call)

    return declare


def _hand_over(socket: str) -> None:
    """Have a warm trainer carry out this command line; come back only where it does not.

    Raises:
        invoke.Exit: it has ended, with this exit code.
    """
    from ctexp.core import screen
    from ctexp.warm import standing_in
    from ctexp.warm.client import Refused

    try:
        code = standing_in.run(socket, sys.argv)
    except Refused as refusal:
        screen.note(f"in a fresh process: {refusal}")
        return
    standing_in.end_like(code)
    raise Exit(code=code)


def perform(target: str, flags: dict[str, Any], *, debug: bool) -> None:
    """Run a verb to its end.

    Raises:
        invoke.Exit: with the exit code, unless that is 0. What went wrong is on stderr by then, and with the
            flag `json` as one document on stdout too.
    """
    _open_closed_streams()
    try:
        code = _attempt(target, flags, debug=debug)
    except BrokenPipeError:
        # Python flushes once more at its end; let that go nowhere instead of complaining.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = PIPE_CLOSED
    if code:
        raise Exit(code=code)


def _open_closed_streams() -> None:
    """Let streams that were closed (`inv train >&-`) go nowhere; else a file of ours would get the number."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:  # the lowest that is free
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 - as long as this process


def _attempt(target: str, flags: dict[str, Any], *, debug: bool) -> int:
    """Call the verb and tell its failure; the exit code."""
    from importlib import import_module

    from ctexp.core.errors import CtexpError
    from ctexp.core.failures.catalogue import explain

    module, _, function = target.partition(":")
    try:
        with _signals_and_shortages_told_apart():
            code = getattr(import_module(f"ctexp.cli.{module}"), function)(**flags)
            sys.stdout.flush()
            return code or 0
    except CtexpError as error:
        if debug:
            traceback.print_exc()
        return _tell(error.kind, error.exit_code, error.lines(), error.problems, error.hint, flags)
    except Exception as error:  # the last line of defence: whatever comes here is a bug, and is kept
        if isinstance(error, BrokenPipeError) and _reader_gone():
            raise
        what = f"{type(error).__name__}: {error}".splitlines()[0][:300].rstrip(": ")
        if debug:
            traceback.print_exc()
        hints = [] if debug else [f"traceback in {_kept_traceback(function)}"]
        if (remedy := explain(error)) is not None:
            hints.append(remedy.hint)
        return _tell("bug", 1, ["; ".join([f"bug: {what}", *hints])], [what], "; ".join(hints), flags)


def _tell(
    kind: str,
    code: int,
    lines: list[str],
    problems: "list[str] | tuple[str, ...]",
    hint: str,
    flags: dict[str, Any],
) -> int:
    """Put a failure on stderr, and on stdout where JSON was asked for; the exit code."""
    from ctexp.core import screen

    if flags.get("json"):
        emit_error(kind, code, problems, hint)
    for line in lines:
        screen.note(line)
    return code


def emit_error(kind: str, code: int, problems: "list[str] | tuple[str, ...]", hint: str) -> None:
    """Print the document that stands for a failure."""
    from ctexp.core import screen

    about = {"kind": kind, "exit_code": code, "problems": list(problems), "hint": hint}
    screen.emit_json({"error": about})


@contextmanager
def _signals_and_shortages_told_apart() -> Iterator[None]:
    """Turn SIGINT, SIGTERM, a full disk and a full memory into the errors that carry their exit codes.

    A verb with signal handlers of its own (training) installs them over this one.
    """
    from ctexp.core.errors import MemoryExhausted, Stopped
    from ctexp.core.files import disk_full

    def stop(_signum: int, _frame: FrameType | None) -> None:
        raise _Terminated

    ours = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, stop) if ours else None
    try:
        yield
    except KeyboardInterrupt:
        raise Stopped(signal.SIGINT, hint=_AGAIN) from None
    except _Terminated:
        raise Stopped(signal.SIGTERM, hint=_AGAIN) from None
    except MemoryError as error:
        raise MemoryExhausted(
            "the machine ran out of memory", "free some, or ask for less at once"
        ) from error
    except OSError as error:
        if (full := disk_full(error)) is None:
            raise
        raise full from error
    finally:
        if ours:
            signal.signal(signal.SIGTERM, before)


def _reader_gone() -> bool:
    """Whether it was the reader of our stdout or stderr that went away, and not some other pipe's."""
    streams = select.poll()
    streams.register(1, 0)
    streams.register(2, 0)
    return any(event & select.POLLERR for _, event in streams.poll(0))


def _kept_traceback(function: str) -> str:
    """Write the traceback being handled to a file of its own and name that, or print it where that fails."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix=f"ctexp-{function}-", suffix=".log", delete=False
        ) as file:
            file.write(f"{sys.argv}\nPython {sys.version}\n\n{traceback.format_exc()}")
    except OSError:
        traceback.print_exc()
        return "the lines above"
    return file.name
