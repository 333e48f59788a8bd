"""`queue next`: print the key of the job that comes next; nothing where none is left that may run now."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from ctexp.core import screen
from ctexp.core.errors import DataError, UsageError
from ctexp.queue.deciding.choose import choose
from ctexp.queue.deciding.decide import decision
from ctexp.queue.deciding.packed import lines, news
from ctexp.queue.deciding.verdicts import Begin, Decide, Now, Stop
from ctexp.queue.folder import QueueDir
from ctexp.queue.journal import Journal, uptime
from ctexp.queue.orders import Orders
from ctexp.queue.settle import settle
from ctexp.queue.state import fold


def main(words: Sequence[str]) -> int:
    """Decide, write down what was decided on the way, and print; an exit code other than 0 ends the night.

    Called when no attempt is under way: one that has no end yet has lost its runner.
    """
    if words:
        raise UsageError("queue next takes no words")
    queue = QueueDir(Path(os.environ["CTEXP_QUEUE_DIR"]))
    orders, journal = Orders.read(queue.orders), Journal(queue.journal)
    night = fold(orders, journal.read())
    if not night.begins:
        hint = "start the script again: it finds out from the runs what was done"
        raise DataError(f"{queue.journal}: the beginning of this night is gone", hint)
    if settle(queue, orders, night):
        night = fold(orders, journal.read())
    while True:
        now = Now(uptime(), shutil.disk_usage(orders.runs).free)
        choice = choose(orders, night, now)
        if choice.skips:
            journal.extend([{"kind": "skip", **asdict(skip)} for skip in choice.skips])
            for skip in choice.skips:
                screen.note(f"{skip.job}: skipped, {skip.reason}")
        match choice.then:
            case Begin() as begin:
                if (event := news(orders, night, choice.packed)) is not None:
                    journal.append("pack", **event)
                    for line in lines(orders, event):
                        screen.note(line)
                print(begin.key)
                return 0
            case Decide() as wanted:
                journal.append("decision", **decision(orders, night, wanted))
            case Stop(exit_code, reason):
                journal.append("note", text=reason)
                screen.note(reason)
                return exit_code
            case None:
                return 0
        night = fold(orders, journal.read())
