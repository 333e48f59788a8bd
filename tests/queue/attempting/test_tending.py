"""Signs of life, by a clock that runs on while everything is stopped."""

from pathlib import Path

import pytest

from ctexp.queue.attempting import tending
from ctexp.queue.attempting.output import Output
from ctexp.queue.attempting.tending import Tending


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


def test_what_was_stopped_together_with_its_watcher_has_not_hung(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(tending, "time", clock)
    with Output(tmp_path / "log") as output:
        tend = Tending(
            output,
            tmp_path / "beat",
            silence=60.0,
            limit=90.0,
            seconds_left=lambda: None,
            cancelled=lambda: False,
        )
        said: list[str | None] = []
        for clock.now in (8.0, 16.0, 24.0, 32.0, 4000.0, 4008.0, 4016.0, 4024.0, 4032.0):
            found = tend.look()
            said.append(found[0] if found else None)
        assert said == [None] * 8 + ["hung"]


def test_the_limit_is_that_of_all_attempts_at_a_run(tmp_path: Path) -> None:
    with Output(tmp_path / "log") as output:
        tend = Tending(
            output,
            tmp_path / "beat",
            silence=60.0,
            limit=0.0,
            spent=57.0,
            seconds_left=lambda: None,
            cancelled=lambda: False,
        )
        assert tend.look() == ("limit", "its limit of 57 s is over, 57 s of it in earlier attempts")
