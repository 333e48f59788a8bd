"""`queue end CODE`: the last of a night: what it has shown is written down and told; its exit code.

    queue end 0       nothing is left to begin; likewise 5, 124, 130, 143, as the script was stopped

Called again, with nothing new in the journal, it writes the same once more and tells nobody twice.
"""

import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ctexp.core import files, screen
from ctexp.core.errors import CtexpError, StorageError, UsageError
from ctexp.core.paths import shown
from ctexp.queue.folder import QueueDir
from ctexp.queue.journal import Damaged, Journal
from ctexp.queue.morning import log, notify, outcome, page, report, told, tracker
from ctexp.queue.morning.documents import NightReport
from ctexp.queue.morning.jobs import trainings
from ctexp.queue.orders import Orders
from ctexp.queue.state import Night, fold


def main(words: Sequence[str]) -> int:
    """Write the night down, tell it, and end it."""
    if len(words) != 1 or not words[0].isdecimal() or int(words[0]) > 255:
        raise UsageError("queue end CODE")
    queue = QueueDir.here()
    orders = Orders.read(queue.orders)
    journal = Journal(queue.journal)
    problems: list[CtexpError] = []
    try:
        events = journal.read()
    except Damaged as error:
        problems.append(error)
        events = journal.salvaged()
    closed = bool(events) and events[-1]["kind"] == "close"
    so_far = fold(orders, events)
    code = events[-1]["exit_code"] if closed else outcome.exit_code(int(words[0]), so_far)
    try:
        night = report.build(queue, orders, events, code)
        problems += keep(queue, Path(orders.root), night)
    finally:  # the night is over, also where its page has run into a bug
        if code in outcome.BY_THE_JOBS:  # what stopped the script from outside is said before all else
            serious = (one.exit_code for one in problems if isinstance(one, Damaged | StorageError))
            code = next(serious, code)
        if not closed:
            problems += _close(journal, code, orders, so_far)
    for line in told.lines(night, queue):
        print(line, flush=True)
    for line in dict.fromkeys(line for problem in problems for line in problem.lines()):
        screen.note(line)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # it is written: whoever insists may have it
    if not closed:
        _send(queue, orders, night, so_far)
    return int(code)


def _close(journal: Journal, code: int, orders: Orders, so_far: Night) -> list[CtexpError]:
    """Write down that it is over; why that cannot be written."""
    left = outcome.left(orders, so_far)
    reason = outcome.reason(code, outcome.counted(so_far, left), so_far)
    try:
        journal.append("close", exit_code=code, reason=reason, left=left)
    except (Damaged, StorageError) as error:
        return [error]
    return []


def keep(queue: QueueDir, root: Path, night: NightReport) -> list[CtexpError]:
    """Write `night.json`, `night.md` and the log; what of that could not be written."""
    text = page.render(night)
    problems: list[CtexpError] = []
    for write in (
        lambda: night.write(queue.night_json),
        lambda: files.write_text(queue.night_md, text),
        lambda: log.write(root, queue.id, text),
    ):
        try:
            write()
        except CtexpError as error:
            problems.append(error)
        except OSError as error:
            problems.append(StorageError(f"{error.filename}: cannot be written ({error.strerror})"))
    return problems


def unseen(queue: QueueDir, root: Path, runs: Path) -> None:
    """Write down a night whose end nobody saw, before another queue of its plan begins.

    Args:
        queue: of the night.
        root: of the project, where it is now.
        runs: likewise.

    Raises:
        DataError: its orders or its journal cannot be read.
    """
    orders = replace(Orders.read(queue.orders), root=str(root), runs=str(runs))
    night = report.build(queue, orders, Journal(queue.journal).read(), None)
    for problem in keep(queue, root, night):
        screen.warn(f"the night of {queue.id} could not be written down: {problem.lines()[0]}")


def _send(queue: QueueDir, orders: Orders, night: NightReport, so_far: Night) -> None:
    """Tell whoever wants to know, and have the tracker catch up."""
    root, runs = Path(orders.root), Path(orders.runs)
    notify.tell(
        "end",
        root,
        f"{orders.plan}: {page.summary(night)[0]}",
        queue=queue.id,
        plan=orders.plan,
        exit_code=night.exit_code,
        counts=night.counts.model_dump(),
        page=shown(queue.night_md),
        go_on=night.go_on,
    )
    ids = dict.fromkeys(one.run for job in so_far.jobs.values() for one in job.attempts if one.run)
    for line in tracker.sync(root, [run for one in ids for run in trainings(runs, one)]):
        screen.warn(line)
