"""Trains trials on a node, one after another: `python -P -m ctexp.sweeps.ray_tune.keeper ROOT RUNS SWEEP`.

Ray kills an actor's children with it, at once. This process is none of them: it leaves its parent as it
begins, and knows by the end of its input that the actor is gone. Then it has the training save what it has,
and ends. It is told a trial as a line of JSON, tells what comes of it in such lines, and is answered each
epoch.
"""

import json
import os
import select
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ctexp.executors.trainers import Fresh
from ctexp.record.sweep import Sweep, SweepDir
from ctexp.sweeps.agent.stopping import Stops
from ctexp.sweeps.agent.trial import Bench, Unfinished, run_trial
from ctexp.sweeps.file.composing import Trials
from ctexp.sweeps.file.load import load
from ctexp.sweeps.ray_tune.words import EPOCH, REFUSAL, RUN, TOLD, UNFINISHED, VALUE, refused
from ctexp.sweeps.trials import Taken, Told

_BYTES = 1 << 16


class Line:
    """The line to the actor; where it ends, the trial under way is broken off, see `Asked`.

    Args:
        stops: signals to this process.
        orders: descriptor that the actor writes to.
        answers: descriptor that it reads from.
    """

    def __init__(self, stops: Stops, orders: int, answers: int) -> None:
        self._stops = stops
        self._orders = orders
        self._answers = answers
        self._rest = b""
        self._gone = False

    @property
    def why(self) -> str:
        """Why the trial has to be broken off; empty where it may go on."""
        if not self._gone and select.select([self._orders], [], [], 0)[0]:
            self._receive()
        return self._stops.why or ("the cluster has taken the place away" if self._gone else "")

    @property
    def insisted(self) -> bool:
        """Whether it has to end at once."""
        return self._stops.insisted

    def tell(self, message: dict[str, Any]) -> None:
        """Tell the actor; one that is gone hears nothing."""
        try:
            os.write(self._answers, json.dumps(message).encode() + b"\n")
        except BrokenPipeError:
            self._gone = True

    def hear(self) -> dict[str, Any] | None:
        """What the actor tells next; None where it is gone."""
        while b"\n" not in self._rest and not self._gone:
            self._receive()
        line, _, self._rest = self._rest.partition(b"\n")
        heard: dict[str, Any] | None = json.loads(line) if line and not self._gone else None
        return heard

    def _receive(self) -> None:
        piece = os.read(self._orders, _BYTES)
        self._rest += piece
        self._gone = not piece


def main(root: Path, runs: Path, folder: Path) -> None:
    """Train what the actor says, until its line ends.

    Args:
        root: the project's folder.
        runs: the folder of all runs.
        folder: the sweep's.
    """
    place = SweepDir(folder)
    sweep = Sweep.read(place.record)
    spec = load(place.file, sweep.file, sweep.overrides)
    trials = Trials(root, spec, sweep.overrides)
    with Stops() as stops:
        line = Line(stops, sys.stdin.fileno(), sys.stdout.fileno())
        bench = Bench(
            root=root,
            runs=runs,
            place=place,
            spec=spec,
            sweep=sweep,
            words=trials.words,
            trainer=Fresh(root),
            asked=line,
        )
        while not line.why and (trial := line.hear()) is not None:
            came = carry_out(bench, line, Taken(**trial))
            if isinstance(came, Unfinished):
                line.tell({UNFINISHED: came.why, REFUSAL: refused(came.refusal)})
            else:
                line.tell({TOLD: asdict(came)})


def carry_out(bench: Bench, line: Line, taken: Taken) -> Told | Unfinished:
    """One trial, told as it goes."""

    def report(epoch: int, value: float) -> bool:
        line.tell({EPOCH: epoch, VALUE: value})
        answer = line.hear()
        return answer is not None and bool(answer["prune"])

    return run_trial(
        bench,
        taken,
        began=lambda member, run: line.tell({RUN: [member, run]}),
        report=report,
        pulse=lambda: None,
    )


if __name__ == "__main__":
    # Nobody's child any more, in a session of its own: what ends the actor does not end this.
    if os.fork():
        os._exit(0)
    os.setsid()
    main(*map(Path, sys.argv[1:]))
