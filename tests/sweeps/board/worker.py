"""An agent without trainings, as a process of its own: `python -m tests.sweeps.board.worker FOLDER LOG`.

It appends a line to the log for each trial whose end it noted.
"""

import os
import sys
import time
from pathlib import Path

from ctexp.record.sweep import Sweep, SweepDir
from ctexp.sweeps.board import shared
from ctexp.sweeps.space import Choice, Parameter, Space, Values
from ctexp.sweeps.trials import Over, Taken, Told
from tests.sweeps.board.boards import Made, a_spec

SIXTY = Space((Parameter("a", Choice(tuple(range(10)))), Parameter("b", Choice(tuple(range(6))))))
"""Sixty cells."""


def score(values: Values) -> float:
    """What a cell is worth."""
    return float(str(values["a"])) + 10 * float(str(values["b"]))


def main(folder: str, log: str) -> None:
    """Work until nothing is left."""
    shared.ATTEMPTS = 1000  # the test kills without mercy
    place = SweepDir(Path(folder))
    sweep = Sweep.read(place.record)
    board = Made(place, a_spec(SIXTY, storage=sweep.storage), sweep).open(grace=2.0)
    agent = f"pid {os.getpid()}"
    print("ready", flush=True)
    while not isinstance(found := board.take(agent), Over):
        if not isinstance(found, Taken):
            time.sleep(0.2)
            continue
        for epoch in (1, 2):
            time.sleep(0.05)
            board.report(found, epoch, epoch / 2)
        board.began(found, "s42", f"run-{found.number}.{found.attempt}")
        board.beat(found)
        if board.finish(found, Told("finished", score(found.values), seconds=0.02)):
            descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(descriptor, f"{found.number}\n".encode())
            os.close(descriptor)


if __name__ == "__main__":
    main(*sys.argv[1:])
