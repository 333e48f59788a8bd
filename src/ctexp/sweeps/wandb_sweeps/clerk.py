"""W&B's own agent, in a process of its own: `python -P -m ctexp.sweeps.wandb_sweeps.clerk`.

`wandb.agent` runs trials in threads of its process, which it stops by raising in them, and sets variables
that whatever is started later inherits. Nothing of that should be near a training. So it is kept here, and
told and asked by lines of JSON: `create` makes a sweep, `next` has W&B hand out a trial, and of that trial
`name`, `epoch` and `end` are passed on.
"""

import json
import os
import sys
import threading
from typing import Any, TextIO

import wandb

_LOOK_SECONDS = 0.2
_BROKEN_OFF = 143


class Clerk:
    """Between ctexp's agent, on lines, and W&B's.

    Args:
        answers: what ctexp's agent reads.
    """

    def __init__(self, answers: TextIO) -> None:
        self._answers = answers
        self._run: Any = None
        self._problem = ""
        self._ended = threading.Event()
        self._stopped = threading.Event()

    def serve(self, orders: TextIO) -> None:
        """Do what is asked, until the line ends; a trial under way has been broken off then."""
        for line in orders:
            order: dict[str, Any] = json.loads(line)
            if "create" in order:
                self._create(**order["create"])
            elif "next" in order:
                # Not on this thread: it waits for W&B, and what is told of the trial comes meanwhile.
                threading.Thread(target=self._next, args=(order["next"],), daemon=True).start()
            elif "name" in order:
                self._run.name = order["name"]
            elif "epoch" in order:
                self._run.log(order["epoch"])
                self._tell(prune=self._stopped.is_set())
            elif "end" in order:
                self._run.summary.update(order["end"]["summary"])
                self._problem = order["end"]["problem"]
                self._ended.set()
        if self._run is not None:
            self._run.finish(exit_code=_BROKEN_OFF)

    def _create(self, config: dict[str, Any], project: str, entity: str | None) -> None:
        try:
            name = wandb.sweep(config, project=project, entity=entity)
        except Exception as error:  # W&B has many kinds, and none that it promises
            self._tell(error=f"{type(error).__name__}: {error}")
            return
        # Where W&B has put it, which its own client keeps here.
        where = (os.environ.get("WANDB_ENTITY"), os.environ.get("WANDB_PROJECT"), name)
        self._tell(sweep="/".join(part for part in where if part))

    def _next(self, sweep: str) -> None:
        """Let W&B's agent run for one trial."""
        try:
            wandb.agent(sweep, function=self._trial, count=1)
        except Exception as error:
            self._tell(error=f"{type(error).__name__}: {error}")
        else:
            self._tell(over=True)

    def _trial(self) -> None:
        """A trial, as W&B's agent calls it: it lasts as long as the trainings do, which are elsewhere.

        Raises:
            RuntimeError: it failed; W&B notes that of its run.
        """
        settings = wandb.Settings(console="off", x_disable_stats=True)
        self._ended.clear()
        self._stopped.clear()
        self._run = wandb.init(settings=settings)
        self._tell(trial=dict(self._run.config), run=self._run.id)
        while not self._ended.is_set():
            try:
                self._ended.wait(_LOOK_SECONDS)
            except Exception:  # W&B raises it in here, once, where a run should stop
                self._stopped.set()
        self._run = None
        if self._problem:
            raise RuntimeError(self._problem)

    def _tell(self, **message: object) -> None:
        self._answers.write(json.dumps(message) + "\n")
        self._answers.flush()


if __name__ == "__main__":
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # W&B prints where it likes
    Clerk(answers).serve(sys.stdin)
    os._exit(0)  # its threads may wait for W&B for long
