"""`queue-status`, `queue-watch`, `queue-cancel`: looks at a night, and the one way to change its mind."""

import getpass
import time
from collections.abc import Iterator

from ctexp.cli import queue_tables
from ctexp.config.paths import resolve_paths
from ctexp.core import screen
from ctexp.core.errors import UsageError
from ctexp.core.paths import project_root
from ctexp.queue import folder
from ctexp.queue.looking.cancel import drop
from ctexp.queue.looking.status import Look, look

_LEAST_SECONDS = 0.1
_MOST_SECONDS = 86400.0


def status(queue: str, json: bool) -> None:
    """Print what a queue is doing: one look, whatever it finds."""
    now = look(_meant(queue))
    if json:
        screen.emit_json(now.document())
        return
    for problem in now.problems:
        screen.warn(problem)
    console = screen.results()
    console.print(queue_tables.picture(now, console.width))


def watch(queue: str, every: float, json: bool) -> None:
    """Look again and again until the queue has ended: a live table, or off a terminal a line per change.

    With `json` the last look is the one document on stdout, and the changes go to stderr.
    """
    if not _LEAST_SECONDS <= every <= _MOST_SECONDS:
        said = "too seldom" if every > _MOST_SECONDS else "too often"
        bounds = f"between {_LEAST_SECONDS:g} and {_MOST_SECONDS:g}"
        raise UsageError(f"--every: {every:g} seconds is {said}", bounds)
    meant = _meant(queue)
    console = screen.results()
    if console.is_terminal and not json:
        from rich.live import Live

        with Live(console=console, auto_refresh=False) as live:
            for now in _looks(meant, every):
                live.update(queue_tables.picture(now, console.width, console.height), refresh=True)
        return
    seen: list[str] = []
    for now in _looks(meant, every):
        lines = queue_tables.states(now)
        for line in (line for line in lines if line not in seen):
            if json:
                screen.note(line)
            else:
                print(line, flush=True)
        seen = lines
    if json:
        screen.emit_json(now.document())


def cancel(job: str, queue: str, json: bool) -> None:
    """Drop a job: one that has not begun is skipped, a running one is stopped by whoever runs it."""
    meant = _meant(queue)
    dropped = drop(meant, job, by=getpass.getuser())
    if json:
        screen.emit_json({"queue": meant.id, **dropped.document()})
        return
    print(f"{job}: {'is being stopped' if dropped.running else 'dropped'}")
    if dropped.dependents:
        print(f"what waits for it: {', '.join(dropped.dependents)}")


def _meant(selector: str) -> folder.QueueDir:
    return folder.find(resolve_paths(project_root())[1], selector)


def _looks(queue: folder.QueueDir, every: float) -> Iterator[Look]:
    """A look every so often, the last one when nobody is at the queue any more."""
    while True:
        now = look(queue)
        yield now
        if now.state in {"ended", "interrupted"}:
            return
        time.sleep(every)
