"""The process of one handler: load it, call it, leave a record of what came of it.

    python -P -m ctexp.research.running.one ORDER

What the record says is decided here; where this process dies before it is written, whoever began it says so.
"""

import os
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from ctexp.core import clock, files
from ctexp.core.paths import project_root
from ctexp.executors.trainers import Fresh, Trainer
from ctexp.record.manifest import Manifest
from ctexp.record.run_dir import RunDir
from ctexp.research.handlers.load import Handler, load
from ctexp.research.handlers.rehearsal import rehearse
from ctexp.research.record import Answer, Broken, caveats
from ctexp.research.runner import ExperimentRunner
from ctexp.research.runner.order import Order
from ctexp.research.runner.returned import Returned, returned
from ctexp.research.runner.stopping import HandlerStopped, Interruption
from ctexp.research.runner.telling import Tracked
from ctexp.research.running.ailing import ailments
from ctexp.research.running.answering import told
from ctexp.research.running.failing import broken

STOPPED = 143
"""Exit code of a handler that was asked to stop: it leaves no record, and is begun again."""

_PATIENCE = 120.0
"""Seconds for the imports of a warm trainer, which takes no longer for them than a fresh one would."""


@dataclass
class Carrying:
    """One handler on its way.

    Attributes:
        order: what to do.
        stop: whether somebody asked for an end.
        tell: given a line for people.
        began: when.
    """

    order: Order
    stop: Interruption
    tell: Callable[[str], None]
    began: datetime = field(default_factory=clock.now)
    _clock: float = field(default_factory=time.monotonic)
    _handler: Handler | None = None
    _runner: ExperimentRunner | None = None

    def answer(self) -> Answer:
        """Carry it out; its record.

        Raises:
            HandlerStopped: a signal asked for an end.
        """
        try:
            came = self._called()
        except HandlerStopped:
            raise
        except BaseException as error:  # whatever a handler does, sys.exit too, is its own failure alone
            self.stop.ignore()
            traceback.print_exc()
            return self._record(None, broken(error, self.order.places.handlers))
        self.stop.ignore()
        return self._record(came, None)

    def _called(self) -> Returned:
        order = self.order
        handler = self._handler = load(order.places, order.experiment, order.sub)
        follower = Tracked(order, handler.name, self._warn)
        runner = self._runner = ExperimentRunner(
            order, handler.name, trainer=self._trainer(), follower=follower, stop=self.stop, tell=self.tell
        )
        failed = True
        came: Returned | None = None
        try:
            value = rehearse(handler, runner) if order.stub else handler.function(runner)
            came = returned(value, runner.results.saved, runner.made, self._warn)
            failed = False
            return came
        finally:
            metrics = came.metrics if came is not None else {}
            follower.finish({name: one.value for name, one in metrics.items()}, failed=failed)

    def _trainer(self) -> Trainer:
        root = Path(self.order.root)
        if socket := os.environ.get("CTEXP_WARM"):
            from ctexp.executors.warmed import Warm

            return Warm(Path(socket), root, Fresh(root), self.tell, _PATIENCE)
        return Fresh(root)

    def _record(self, came: Returned | None, error: Broken | None) -> Answer:
        runner, order = self._runner, self.order
        used = [RunDir(Path(order.runs) / run) for run in runner.runs.used] if runner else []
        return Answer(
            **told(order, self.began, self._clock, runner.runs.data() if runner else {}),
            function=self._handler.name if self._handler else "",
            state="failed" if came is None else "completed",
            finding=came.finding if came else "",
            metrics=came.metrics if came else {},
            cited=came.cited if came else (),
            artifacts=came.artifacts if came else runner.results.saved if runner else (),
            runs=tuple(run.id for run in used),
            caveats=(*caveats(Manifest.read(run.manifest).dataset for run in used), *ailments(used)),
            error=error,
        )

    def _warn(self, line: str) -> None:
        self.tell(f"warning: {line}")


def main(order: Order) -> NoReturn:
    """Be the process of a handler."""
    stop = Interruption()
    stop.heed()

    def tell(line: str) -> None:
        with suppress(ValueError, OSError):  # the handler may have closed it
            print(line, file=sys.stderr, flush=True)
        files.append_line(order.said, " ".join(line.split()))

    os.chdir(order.root)
    order.said.touch()  # whoever watches knows that the handler's turn has come
    try:
        answer = Carrying(order, stop, tell).answer()
    except HandlerStopped as stopped:
        tell(str(stopped))
        _leave(STOPPED)
    answer.write(order.answer)
    _leave(0 if answer.error is None else 12)


def _leave(code: int) -> NoReturn:
    """End at once: no thread that a handler has left behind holds this process up."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(ValueError, OSError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main(Order.read(Path(sys.argv[1])).at(project_root()))
