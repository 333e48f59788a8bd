"""Following what trains: each change told once, until nothing that was followed trains any more."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from ctexp.monitor.finding import Finding, Judged
from ctexp.monitor.judge import judge
from ctexp.monitor.neighbours import Neighbours
from ctexp.monitor.seen import look
from ctexp.record.find import run_paths
from ctexp.record.run_dir import RunDir

SECONDS = 2.0
"""Between two looks."""


class Change(NamedTuple):
    """Something began, has passed, or a run came or ended; the finding is None for the last two."""

    state: Literal["follows", "began", "passed", "ended"]
    run: str
    finding: Finding | None = None
    said: str = ""


@dataclass
class _Followed:
    """A run that is followed.

    Attributes:
        judged: as it was last told.
        stamp: of its history then.
        holding: what was told of it and has not passed, by rule.
    """

    run: RunDir
    judged: Judged | None = None
    stamp: int = -1
    holding: dict[str, Finding] = field(default_factory=dict)


def running(runs: Path) -> list[RunDir]:
    """The runs at work now, oldest first."""
    without_end = [RunDir(path) for path in run_paths(runs) if not (path / "result.json").exists()]
    return [run for run in without_end if run.state() == "running"]


def follow(
    root: Path,
    runs: Path,
    only: Sequence[str] | None = None,
    pause: Callable[[], None] = lambda: time.sleep(SECONDS),
) -> Iterator[Change]:
    """Changes as they come; ends when nothing that is followed runs.

    Whatever begins while something is followed is followed too, a run that is resumed again. When a run has
    ended it is judged once more, beside all others.

    Args:
        root: the project's folder.
        runs: the folder of all runs.
        only: the ids of runs to follow; None for all that run.
        pause: between two looks.
    """
    followed: dict[str, _Followed] = {}
    ended: set[str] = set()
    while True:
        for run in running(runs):
            if (run.id not in followed or run.id in ended) and (only is None or run.id in only):
                ended.discard(run.id)
                followed.setdefault(run.id, _Followed(run)).stamp = -1
                yield Change("follows", run.id)
        for one in [its for its in followed.values() if its.run.id not in ended]:
            yield from _news(one, root)
            if one.judged is not None and one.judged.state != "running":
                yield from _last(one, root, runs)
                ended.add(one.run.id)
        if ended >= followed.keys():
            return
        pause()


def _news(one: _Followed, root: Path) -> Iterator[Change]:
    """What has changed since the last look, where there is a new epoch or an end."""
    stamp = _stamp(one.run)
    if stamp == one.stamp and one.run.state() == "running":
        return
    one.stamp = stamp
    one.judged = judge(look(one.run), root, None)
    yield from _told(one)


def _last(one: _Followed, root: Path, runs: Path) -> Iterator[Change]:
    """What is found of a run that has ended, beside all others, and how it ended."""
    others = Neighbours(runs)
    if others.summary(one.run.id) is None:
        yield Change("ended", one.run.id, said="its directory is gone")
        return
    one.judged = judge(others.seen(one.run.id), root, others)
    yield from _told(one)
    yield Change("ended", one.run.id, said=one.judged.state)


def _told(one: _Followed) -> Iterator[Change]:
    found = {its.rule: its for its in one.judged.findings if not its.passed} if one.judged else {}
    for rule, finding in found.items():
        if rule not in one.holding:
            yield Change("began", one.run.id, finding)
    for rule in [rule for rule in one.holding if rule not in found]:
        yield Change("passed", one.run.id, one.holding[rule])
    one.holding = found


def _stamp(run: RunDir) -> int:
    try:
        return run.history.stat().st_mtime_ns
    except OSError:
        return 0
