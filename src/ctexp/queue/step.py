"""`step NAME PROGRAM …`: one step of the analysis at the end, watched like a job and written down."""

import math
import os
import time
from collections.abc import Sequence
from pathlib import Path

from ctexp.core import clock, locks, screen
from ctexp.core.errors import TimeBudgetUsed, UsageError
from ctexp.queue.attempting import child
from ctexp.queue.attempting.beginning import seconds_left
from ctexp.queue.attempting.child import Signals
from ctexp.queue.attempting.finished import finished_words
from ctexp.queue.attempting.output import Output
from ctexp.queue.folder import QueueDir
from ctexp.queue.journal import Journal
from ctexp.queue.orders import Orders
from ctexp.queue.state import fold


def main(words: Sequence[str]) -> int:
    """Carry out one step, about what has finished; one that fails ends no night.

    It has what is left of the window, and the time that was kept for the analysis at least.

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
    queue = QueueDir(Path(os.environ["CTEXP_QUEUE_DIR"]))
    with Signals() as signals:
        child.die_with_parent()
        journal, orders = Journal(queue.journal), Orders.read(queue.orders)
        night = fold(orders, journal.read())
        argv, left_out = finished_words(orders, night, argv)
        for line in left_out:
            screen.note(f"{name}: {line}")
        if not argv:
            journal.append("note", text=f"{name}: not done, since {'; '.join(left_out)}")
            return 0
        left = seconds_left(orders, night.begins[-1]) if night.begins else None
        limit = math.inf if left is None else orders.analysis_seconds + max(left, 0.0)
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
                grace=orders.grace_seconds,
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
