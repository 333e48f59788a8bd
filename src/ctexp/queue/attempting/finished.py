"""What the words of the analysis mean in the morning: names of experiments, of which some may have failed."""

from collections.abc import Sequence

from ctexp.queue.orders import Orders
from ctexp.queue.state import Night

_MANY = frozenset({"--candidate"})
_ONE = frozenset({"--baseline", "--run", "--sweep"})


def finished_words(orders: Orders, night: Night, argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """A command of the analysis about what is there.

    A script names experiments by `run.name`, before anything has run. In the morning that name may have no
    finished run, or runs of a fallback besides, which have a name of their own; and a cross-validation or
    a sweep is found by its id for certain.

    Returns:
        The command, empty where nothing it was to be about has finished; and what is left out, a line each.
    """
    finished = _finished(orders, night)
    report = list(argv[1:2]) == ["report"]
    if report and not any(finished.values()):
        return [], ["no job of the queue is done"]
    words: list[str] = []
    left_out: list[str] = []
    lacking = set()
    given = set()
    for flag, word in zip(["", *argv], argv, strict=False):
        found = finished.get(word)
        if flag not in _MANY | _ONE or found is None:
            words.append(word)
            continue
        given.add(flag)
        words.pop()
        if not found:
            left_out.append(f"{word}: nothing of it has finished")
            lacking |= {flag} & _ONE
        taken = found if flag in _MANY else found[:1]
        left_out += [f"{one}: also finished, and left out" for one in found[len(taken) :]]
        words += [part for one in taken for part in (flag, one)]
    # A report is about the whole queue: the baseline it was to have is no more than its first column.
    empty = not report and (lacking or not given <= set(words))
    return ([] if empty else words), left_out


def _finished(orders: Orders, night: Night) -> dict[str, list[str]]:
    """By each experiment's name what its finished runs are asked for by, the name as planned first."""
    found: dict[str, list[str]] = {}
    for job in orders.jobs:
        names = found.setdefault(job.run_name, [])
        now = night.jobs[job.id]
        if now.state == "done" and now.run:
            # A run's id is its name, a stamp and six characters; all seeds of a name are meant.
            name = now.run.rsplit("_", 2)[0] if job.verb == "train" else now.run
            names += [name] if name not in names else []
    return {planned: sorted(names, key=lambda name: name != planned) for planned, names in found.items()}
