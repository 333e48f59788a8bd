"""`queue next [KEY=PID…]`: print the key of the job that comes next; nothing where none is left for now.

Where several run at once the script names those it has begun, each with its runner. One that has ended makes
room, and so this waits while nothing can be begun beside them: what comes next is decided here alone, and
written down before it is begun.
"""

import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from ctexp.core import screen
from ctexp.core.errors import DataError, UsageError
from ctexp.queue.deciding.choose import choose
from ctexp.queue.deciding.decide import decision
from ctexp.queue.deciding.packed import lines, news
from ctexp.queue.deciding.verdicts import Begin, Choice, Decide, Now, Stop
from ctexp.queue.folder import QueueDir
from ctexp.queue.journal import Journal, uptime
from ctexp.queue.orders import Orders
from ctexp.queue.settle import settle
from ctexp.queue.state import Night, fold

_LOOK_SECONDS = 0.2


def main(words: Sequence[str]) -> int:
    """Decide, write down what was decided on the way, and print; an exit code other than 0 ends the night.

    An attempt that has no end yet, and that nobody is at, has lost its runner.

    Raises:
        UsageError: a word is no key with a pid.
        DataError: the beginning of this night is gone.
        Busy: a training that was told to stop is still there.
    """
    script = os.getppid()
    runners = _Runners(words, script)
    queue = QueueDir.here()
    orders, journal = Orders.read(queue.orders), Journal(queue.journal)
    while os.getppid() == script:
        at_work = (
            runners.at_work()
        )  # before the journal is read: who is gone has said there what he had to say
        night = fold(orders, journal.read())
        if not night.begins:
            hint = "start the script again: it finds out from the runs what was done"
            raise DataError(f"{queue.journal}: the beginning of this night is gone", hint)
        lost = {job.id: job for job in night.jobs.values() if job.id not in at_work}
        if settle(queue, orders, replace(night, jobs=lost)):
            continue
        for job in at_work:  # also where its runner has not said so yet
            night.jobs[job].state = "running"
        choice = choose(orders, night, Now(uptime(), shutil.disk_usage(orders.runs).free))
        _skip(journal, choice)
        match choice.then:
            case Begin() as begin:
                _begin(orders, journal, night, choice, begin)
                return 0
            case Decide() as wanted:
                journal.append("decision", **decision(orders, night, wanted))
            case Stop(exit_code, reason):
                journal.append("note", text=reason)
                screen.note(reason)
                return exit_code
            case None if at_work:
                runners.wait(at_work)
            case None:
                return 0
    return 0  # the script is gone: nobody would begin it


class _Runners:
    """The programs that watch what runs, as the script has begun them.

    Args:
        words: `KEY=PID` of each.
        script: its pid; without it nothing is waited for.
    """

    def __init__(self, words: Sequence[str], script: int) -> None:
        self._pids: dict[str, int] = {}
        for word in words:
            key, _, pid = word.rpartition("=")
            if not key or not pid.isdecimal():
                raise UsageError(f"queue next: {word} is no KEY=PID", "called by rendered scripts")
            self._pids[key.partition(":")[0]] = int(pid)
        self._script = script

    def at_work(self) -> frozenset[str]:
        """The jobs that somebody is at."""
        return frozenset(job for job, pid in self._pids.items() if _lives(pid))

    def wait(self, at_work: frozenset[str]) -> None:
        """Until one of these is over."""
        while self.at_work() == at_work and os.getppid() == self._script:
            time.sleep(_LOOK_SECONDS)


def _lives(pid: int) -> bool:
    """Whether there is such a process, and no zombie."""
    try:
        _, _, rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
    except OSError:
        return False
    return rest.split()[0] not in "ZX"


def _skip(journal: Journal, choice: Choice) -> None:
    if choice.skips:
        journal.extend([{"kind": "skip", **asdict(skip)} for skip in choice.skips])
        for skip in choice.skips:
            screen.note(f"{skip.job}: skipped, {skip.reason}")


def _begin(orders: Orders, journal: Journal, night: Night, choice: Choice, begin: Begin) -> None:
    if (event := news(orders, night, choice.packed)) is not None:
        journal.append("pack", **event)
        for line in lines(orders, event):
            screen.note(line)
    if begin.device is not None:
        journal.append("place", job=begin.job, device=begin.device, bytes=orders.need(begin.job))
    print(begin.key)
