"""A handler watched from outside, in a process that only seems to run."""

import signal
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from threading import Event

import pytest

from ctexp.core import files
from ctexp.core.errors import PreflightError
from ctexp.executors.protocol import Resources, Work
from ctexp.research.running import supervising
from ctexp.research.running.supervising import Bench, carry_out
from ctexp.sweeps.agent.stopping import Stops
from tests.research.runner.desks import Said, order


@dataclass
class Submitted:
    work: Work


class Seems:
    """Says a line, or nothing, whenever it is looked at, and ends after the last one."""

    def __init__(self, said: Path, lines: Iterable[str]) -> None:
        self._said = said
        self._lines = iter(lines)

    def resources(self) -> Resources:
        return Resources(1, "one")

    def submit(self, work: Work) -> Submitted:
        work.log.touch()
        return Submitted(work)

    def poll(self, handle: Submitted) -> int | None:
        del handle
        line = next(self._lines, None)
        if line:
            files.append_line(self._said, line)
        return 1 if line is None else None

    def cancel(self, handle: Submitted, grace: float) -> None: ...


def test_a_handler_that_says_nothing_for_long_is_said_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervising, "_SILENCE_SECONDS", 0.0)
    monkeypatch.setattr(supervising, "_LOOK_SECONDS", 0.001)
    its, said = order(tmp_path), Said()
    carry_out(its, Bench(Seems(its.said, ["one", "", "two"]), Stops(), said, dict))
    assert [line.partition(",")[0] for line in said[:3]] == ["one", "noise/spread: still running", "two"]


def test_a_process_that_never_came_to_the_handler_is_no_failure_of_the_handler(tmp_path: Path) -> None:
    its = order(tmp_path)
    files.append_line(its.log, "PreflightError: python: cannot be run on node7 -> name another")
    with pytest.raises(PreflightError, match=r"noise/spread: its process never came .* on node7$"):
        carry_out(its, Bench(Seems(its.said, []), Stops(), Said(), dict))
    its.said.touch()
    answer = carry_out(its, Bench(Seems(its.said, []), Stops(), Said(), dict))
    assert answer is not None
    assert answer.state == "failed"


class Stubborn(Seems):
    """Ends only when it is told to at once."""

    def __init__(self, said: Path) -> None:
        super().__init__(said, repeat(""))
        self.ended = Event()

    def poll(self, handle: Submitted) -> int | None:
        return -9 if self.ended.is_set() else super().poll(handle)

    def cancel(self, handle: Submitted, grace: float) -> None:
        del handle
        if not grace:
            self.ended.set()
        self.ended.wait(30.0)


def test_who_asks_again_does_not_wait_for_what_is_being_saved(tmp_path: Path) -> None:
    its, said, stops = order(tmp_path), Said(), Stops()
    stops.signum = signal.SIGINT
    stops.insisted = True
    assert carry_out(its, Bench(Stubborn(its.said), stops, said, dict)) is None
    assert any("ask again to end at once" in line for line in said)
