"""Two streams: results on stdout, progress and warnings on stderr.

What draws is loaded where it draws: a night starts hundreds of small programs that only say a line.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID
    from rich.table import Table

_SILENT_SECONDS = 30.0
"""How long a log may hear nothing of a step that goes on."""


def results() -> "Console":
    """A console on stdout, for what a command was asked for.

    Made at each call, so that it follows whoever has replaced `sys.stdout` (a log, a test). Off a terminal
    nothing is wrapped: scripts read whole lines.
    """
    return _console(sys.stdout)


def print_table(table: "Table", width: int | None = None) -> None:
    """A table on stdout, without the blanks that fill its last column.

    Args:
        table: what to print.
        width: columns at most, off a terminal too; as wide as it needs to be by default.
    """
    console = results()
    with console.capture() as drawn:
        console.print(table, width=min(console.width, width or console.width))
    for line in drawn.get().splitlines():
        print(line.rstrip())


def bar(label: str) -> "Progress":
    """A bar that moves on a terminal and is gone when it is done; nothing at all elsewhere.

    It is drawn on the terminal itself, past any log.

    Args:
        label: what stands before the bar, in rich's markup; `{task...}` names a field of the task.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = _console(sys.__stderr__)
    return Progress(
        TextColumn(label),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
        disable=not console.is_terminal,
    )


@contextmanager
def steps() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each step of a long work, told by calls of (step, done, total).

    Elsewhere than on a terminal a step that takes long is a line every half a minute.
    """
    moving = bar("{task.description}")
    tasks: dict[str, TaskID] = {}
    told = time.monotonic()

    def report(step: str, done: int, total: int) -> None:
        nonlocal told
        if step not in tasks:
            tasks[step] = moving.add_task(step, total=total)
        moving.update(tasks[step], completed=done, total=total)
        if moving.disable and time.monotonic() - told >= _SILENT_SECONDS:
            told = time.monotonic()
            note(f"{step}: {done:,} of {total:,}")

    with moving:
        yield report


@contextmanager
def status(what: str) -> Iterator[Callable[[str], None] | None]:
    """A line that says what is being done and is gone when it is done; it yields what changes it.

    Elsewhere than on a terminal nothing is shown, and it yields None.

    Args:
        what: the line at first.
    """
    from rich.markup import escape

    console = _console(sys.__stderr__)
    if not console.is_terminal:
        yield None
        return
    with console.status(escape(what)) as line:
        yield lambda text: line.update(escape(text))


def _console(stream: Any) -> "Console":
    from rich.console import Console

    # Off a terminal nobody's window sets a width: tables are as wide as they need to be.
    width = None if stream.isatty() else 1000
    return Console(file=stream, highlight=False, soft_wrap=True, width=width)


def note(message: str) -> None:
    """One plain line on stderr; brackets in it are text, not markup."""
    print(message, file=sys.stderr, flush=True)


def warn(message: str) -> None:
    """One line on stderr that begins with `warning:`."""
    note(f"warning: {message}")


def can_ask() -> bool:
    """Whether somebody sees a question and can answer it: not in the background, where reading stops us."""
    return sys.stdin.isatty() and sys.stderr.isatty() and _in_front()


def _in_front() -> bool:
    """Whether what is typed reaches this process."""
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except OSError:  # a terminal that has no say over processes: nobody is in the background
        return True


def ask(question: str) -> bool:
    """Put a question that only `y` or `yes` answers with yes."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def emit_json(document: Mapping[str, Any], *, versioned: bool = True) -> None:
    """The one JSON document a `--json` verb prints on stdout.

    Args:
        document: what there is to say.
        versioned: whether it says the version of its own kind; a configuration is nobody's document.
    """
    if versioned:
        document = {"schema_version": 1, **document}
    json.dump(document, sys.stdout, indent=2, ensure_ascii=False, allow_nan=False)
    sys.stdout.write("\n")
    sys.stdout.flush()
