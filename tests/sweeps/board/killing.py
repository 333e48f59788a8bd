"""Agents that are killed at random moments, and what has to be true of the board afterwards."""

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from tests.sweeps.board.boards import Made
from tests.sweeps.board.worker import score


def killed_again_and_again(made: Made, log: Path, *, kills: int, seed: int) -> None:
    """Four agents at a time; each that is killed has a successor. Each trial ends once, as it would alone."""
    moments = random.Random(seed)
    words = [sys.executable, "-m", "tests.sweeps.board.worker", str(made.place.path), str(log)]

    def begun() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    agents = [begun() for _ in range(4)]
    while not log.exists():
        assert all(agent.poll() is None for agent in agents)
        time.sleep(0.01)
    died = 0
    for _ in range(kills):
        time.sleep(moments.uniform(0.0, 0.4))
        victim = moments.randrange(4)
        if agents[victim].poll() is None:
            agents[victim].kill()
            died += 1
        agents[victim].communicate()
        agents[victim] = begun()
    for agent in agents:
        assert agent.communicate(timeout=240)[1] == b""
        assert agent.returncode == 0
    assert died >= 2

    rows = made.open().rows()
    assert [row.number for row in rows] == list(range(60))
    assert [row.state for row in rows] == ["finished"] * 60
    assert [row.value for row in rows] == [score(row.values) for row in rows]
    assert len({repr(row.values) for row in rows}) == 60
    assert max(Counter(log.read_text().split()).values()) == 1, "nothing was finished twice"
    assert any(row.attempts > 1 for row in rows), "somebody's trial was gone on with"
