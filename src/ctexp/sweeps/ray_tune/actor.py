"""A trial's place on the cluster: Ray's end of the line to the process that trains.

An actor is only a pipe. What trains is a process of its own that outlives it for as long as a checkpoint
takes, see `keeper.py`; the actor starts it once and hands it one trial after another. Its steps are the
epochs: Tune sees a value, decides, and either asks for the next step, which lets the training go on, or stops
or reuses the actor, which lets it end there.
"""

import json
import os
import subprocess
import sys
from typing import Any

from ray import tune

from ctexp.executors.ray.joining import NOT_OF_A_NODE
from ctexp.sweeps.ray_tune.words import END, EPOCH, ORDER, RUN, RUNS, TRIAL


class Place(tune.Trainable):
    """Trains the trials that Tune puts here, one after another."""

    def setup(self, config: dict[str, Any]) -> None:
        """Start the keeper, and the first trial.

        Args:
            config: what every trial has in common, and the trial; see `ORDER`.
        """
        order = json.loads(config[ORDER])
        inherited = {key: value for key, value in os.environ.items() if key not in NOT_OF_A_NODE}
        self._keeper = subprocess.Popen(
            [sys.executable, *order["program"]],
            cwd=order["root"],
            env=inherited | order["environment"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        if self._keeper.stdin is None or self._keeper.stdout is None:
            raise ValueError("both were asked for")
        self._to, self._from = self._keeper.stdin, self._keeper.stdout
        self._begin(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Go on with another trial; the one before has ended, or ends now."""
        self._leave_behind()
        self._begin(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Wait for what the training tells next: its run, an epoch, its end.

        Raises:
            RuntimeError: the keeper ended without saying what came of the trial.
        """
        if self._asked:
            self._send({"prune": False})
        message = self._read()
        self._take(message)
        return {**message, RUNS: dict(self._runs), "done": not END.isdisjoint(message)}

    def cleanup(self) -> None:
        """End the keeper, and with it a training that is under way."""
        self._leave_behind()
        self._to.close()
        self._keeper.wait()

    def _begin(self, config: dict[str, Any]) -> None:
        trial = json.loads(config[TRIAL])
        self._runs: dict[str, str] = dict(trial["runs"])
        self._asked = False
        self._send(trial)

    def _leave_behind(self) -> None:
        """Tune goes on without the trial that waits to hear whether to go on: it need not."""
        while self._asked:
            self._send({"prune": True})
            while not (message := self._read()).keys() & {EPOCH, *END}:
                pass  # the run of another member
            self._asked = EPOCH in message

    def _take(self, message: dict[str, Any]) -> None:
        if (run := message.get(RUN)) is not None:
            self._runs[run[0]] = run[1]
        self._asked = EPOCH in message

    def _send(self, message: dict[str, Any]) -> None:
        self._to.write(json.dumps(message).encode() + b"\n")
        self._to.flush()

    def _read(self) -> dict[str, Any]:
        if not (line := self._from.readline()):
            raise RuntimeError("the process that trains ended without saying what came of the trial")
        message: dict[str, Any] = json.loads(line)
        return message
