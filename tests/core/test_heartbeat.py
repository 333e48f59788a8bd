"""Signs of life: once a second at most, and only where somebody waits for them."""

import os
from pathlib import Path

import pytest

from ctexp.core import heartbeat


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock, as the test sets it."""
    now = [1000.0]
    monkeypatch.setattr("ctexp.core.heartbeat.time.monotonic", lambda: now[0])
    monkeypatch.setattr(heartbeat, "_due", 0.0)
    return now


def test_the_files_time_moves_once_a_second(
    tmp_path: Path, seconds: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "beat"
    path.touch()
    monkeypatch.setenv(heartbeat.VARIABLE, str(path))
    seen = []
    for moment in (0.0, 0.2, 0.9, 1.0, 1.5, 2.1):
        os.utime(path, (0, 0))
        seconds[0] = 1000 + moment
        heartbeat.beat()
        seen.append(path.stat().st_mtime > 0)
    assert seen == [True, False, False, True, False, True]


def test_nobody_waits_or_the_file_is_gone(
    tmp_path: Path, seconds: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(heartbeat.VARIABLE, raising=False)
    heartbeat.beat()
    seconds[0] += 2
    monkeypatch.setenv(heartbeat.VARIABLE, str(tmp_path / "nowhere" / "beat"))
    heartbeat.beat()
    assert list(tmp_path.iterdir()) == []
