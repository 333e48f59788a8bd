"""Several agents as an executor's pieces of work: real processes of this machine stand in for agents."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from ctexp.core.errors import StorageError
from ctexp.executors.local import Local
from ctexp.executors.protocol import Work
from ctexp.executors.settings import LocalSettings
from ctexp.sweeps.agent.several import carry_out
from ctexp.sweeps.agent.stopping import Stops

WORKS = "echo at work; while :; do sleep 0.05; done"
SAVES = f"trap 'sleep 1; echo saved; exit 143' TERM; {WORKS}"


@pytest.fixture
def local() -> Local:
    return Local(LocalSettings(kind="local", devices="auto", jobs_per_device=1))


def agent(folder: Path, name: str, program: str) -> Work:
    return Work(name, ["sh", "-c", program], folder, folder / f"{name}.log")


def stop_when_all_work(
    stops: Stops, told: list[str], agents: int, act: Callable[[], None] = lambda: None
) -> Callable[[str], None]:
    def tell(line: str) -> None:
        told.append(line)
        if not stops.signum and sum("at work" in one for one in told) == agents:
            stops.signum = signal.SIGTERM
            act()

    return tell


def test_all_are_waited_for_and_what_they_say_is_told_with_their_names(tmp_path: Path, local: Local) -> None:
    told: list[str] = []
    agents = [
        agent(tmp_path, "local-1", "echo t0; echo t2 >&2"),
        agent(tmp_path, "local-2", "printf 't1\nno newline'; exit 12"),
        agent(tmp_path, "local-3", "kill -9 $$"),
    ]
    ended = carry_out(agents, local, Stops(), told.append)
    assert [(one.work.name, one.code) for one in ended] == [("local-1", 0), ("local-2", 12), ("local-3", -9)]
    assert sorted(told) == ["local-1: t0", "local-1: t2", "local-2: no newline", "local-2: t1"]
    assert (tmp_path / "local-1.log").read_text() == "t0\nt2\n"


def test_a_stop_reaches_all_of_them_at_once(tmp_path: Path, local: Local) -> None:
    told: list[str] = []
    stops = Stops()
    agents = [agent(tmp_path, f"local-{i}", SAVES) for i in range(3)]
    asked: list[float] = []
    tell = stop_when_all_work(stops, told, 3, lambda: asked.append(time.monotonic()))
    ended = carry_out(agents, local, stops, tell)
    assert [one.code for one in ended] == [143, 143, 143]
    assert sorted(told[-3:]) == ["local-0: saved", "local-1: saved", "local-2: saved"]
    assert time.monotonic() - asked[0] < 2.9, "each takes a second to save, and they do so side by side"


def test_nobody_waits_for_them_after_a_second_signal(tmp_path: Path, local: Local) -> None:
    told: list[str] = []
    stops = Stops()
    stops.insisted = True
    deaf = agent(tmp_path, "local-1", f"trap '' TERM; echo $$; {WORKS}")
    (ended,) = carry_out([deaf], local, stops, stop_when_all_work(stops, told, 1))
    assert ended.code is None
    os.killpg(int(told[0].removeprefix("local-1: ")), signal.SIGKILL)


def test_where_one_cannot_be_begun_the_others_are_ended(tmp_path: Path, local: Local) -> None:
    first, second = (agent(tmp_path, f"local-{i}", WORKS) for i in (1, 2))
    second.log.symlink_to("/dev/full/log")
    before = set(psutil.Process().children())
    with pytest.raises(StorageError):
        carry_out([first, second], local, Stops(), print)
    assert set(psutil.Process().children()) <= before
