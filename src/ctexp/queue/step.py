"""`step NAME PROGRAM …`: one step of the analysis at the end, watched like a job and written down."""

import math
import os
import time
from collections.abc import Sequence
from pathlib import Path

from ctexp.core import clock, locks, screen
from ctexp.core.errors import TimeBudgetUsed, UsageError
from ctexp.core.parent_death import die_with_parent
from ctexp.queue.attempting import child
from ctexp.queue.attempting.child import Signals
from ctexp.queue.attempting.finished import finished_words
from ctexp.queue.attempting.output import Output
from ctexp.queue.folder import QueueDir
from ctexp.queue.journal import Journal, uptime
from ctexp.queue.orders import Orders
from ctexp.queue.state import Night, fold

_LAST_SHARE, _LAST_SECONDS = 0.25, 20.0
"""Kept for a step to be stopped and for the night's page: of the reserve for the analysis, and at most."""


def main(words: Sequence[str]) -> int:
    """Carry out one step, about what has finished; one that fails ends no night.

    All steps together have what is left of the window, whose last moments are the page's. Where it had closed
    before the first of them began, because the machine had slept, say, they have the time that was kept for
    them.

    Returns:
        0, or 130 or 143 for a signal. How the step ended is in the journal.

    Raises:
        UsageError: these are no words of a step.
        StorageError: it cannot be written down.
    """
    name, argv = words[0] if words else "", [*words[1:]]
    argv = argv[1:] if argv[:1] == ["--"] else argv
    if not name or not argv:
        raise UsageError("step: expected NAME PROGRAM …", "called by rendered scripts")
    queue = QueueDir.here()
    with Signals() as signals:
        die_with_parent()
        journal, orders = Journal(queue.journal), Orders.read(queue.orders)
        night = fold(orders, journal.read())
        argv, left_out = finished_words(orders, night, argv)
        for line in left_out:
            screen.note(f"{name}: {line}")
        limit = time_left(orders, night, uptime())
        if not argv or not limit:
            why = "; ".join(left_out) if not argv else "nothing is left of the window"
            journal.append("note", step=name, text=f"{name}: not done, since {why}")
            return 0
        until = time.monotonic() + limit

        def tend() -> tuple[str, str] | None:
            over = time.monotonic() > until
            return ("limit", f"its {clock.duration(limit)} are over") if over else None

        log = queue.output(name)
        with Output(log) as output:
            environment, descriptors = locks.passed_on(environment=os.environ | {"CTEXP_ROOT": orders.root})
            done = child.run(
                argv,
                root=Path(orders.root),
                environment=environment,
                descriptors=descriptors,
                output=output,
                signals=signals,
                grace=orders.grace_seconds if math.isinf(limit) else grace(orders),
                tend=tend,
            )
            code = TimeBudgetUsed.exit_code if done.stop == "limit" else done.code
            if code:
                output.say(f"{name}: exit code {code}, see {log}")
        journal.append(
            "step",
            name=name,
            argv=argv,
            exit_code=code,
            seconds=round(done.seconds, 3),
            log=str(log.relative_to(queue.path)),
        )
        return 128 + signals.stopped_by if signals.stopped_by else 0


def time_left(orders: Orders, night: Night, now: float) -> float:
    """Seconds until a step that begins at that uptime is asked to stop; infinite without a window."""
    closes = night.begins[-1].get("closes_uptime") if night.begins else None
    if closes is None:
        return math.inf
    steps = (step for step in night.steps.values() if step["seq"] > night.began_at)
    began = min((step["uptime"] - step["seconds"] for step in steps), default=now)
    over = float(closes) if closes > began else began + orders.analysis_seconds
    return max(0.0, over - now - _last(orders))


def grace(orders: Orders) -> float:
    """Seconds between asking a step to stop and killing it, where a window closes; the page has the rest."""
    return min(orders.grace_seconds, _last(orders) / 2)


def _last(orders: Orders) -> float:
    return min(_LAST_SHARE * orders.analysis_seconds, _LAST_SECONDS)
