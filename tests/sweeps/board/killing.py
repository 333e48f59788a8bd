"""Agents that are killed at random moments, and what has to be true of the board afterwards."""

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from tests.sweeps.board.boards import Made
from tests.sweeps.board.worker import score
from tests.waiting import until


def killed_again_and_again(made: Made, log: Path, *, kills: int, seed: int) -> None:
    """Four agents at a time; each that is killed has a successor. Each trial ends once, as it would alone.

    Every second victim has a trial in its hands; the others may still be starting.
    """
    moments = random.Random(seed)
    words = [sys.executable, "-m", "tests.sweeps.board.worker", str(made.place.path), str(log)]
    board = made.open()

    def begun() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def at_work() -> "list[subprocess.Popen[bytes]]":
        assert all(agent.poll() is None for agent in agents)
        working = {row.agent for row in board.rows() if row.state == "running"}
        return [agent for agent in agents if f"pid {agent.pid}" in working]

    agents = [begun() for _ in range(4)]
    for turn in range(kills):
        time.sleep(moments.uniform(0.0, 0.4))
        victim = moments.choice(agents if turn % 2 else until(at_work))
        victim.kill()
        victim.communicate()
        agents[agents.index(victim)] = begun()
    for agent in agents:
        assert agent.communicate(timeout=240)[1] == b""
        assert agent.returncode == 0

    rows = made.open().rows()
    assert [row.number for row in rows] == list(range(60))
    assert [row.state for row in rows] == ["finished"] * 60
    assert [row.value for row in rows] == [score(row.values) for row in rows]
    assert len({repr(row.values) for row in rows}) == 60
    assert max(Counter(log.read_text().split()).values()) == 1, "nothing was finished twice"
    assert any(row.attempts > 1 for row in rows), "somebody's trial was gone on with"
