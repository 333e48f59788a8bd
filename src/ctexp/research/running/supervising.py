"""One handler watched from outside: begun, ended where it must be, its record taken or made."""

import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

from ctexp.core import clock
from ctexp.core.errors import DataError, PreflightError
from ctexp.core.locks import HELD, FileLock, passed_on
from ctexp.core.paths import shown
from ctexp.executors.protocol import Executor, Work
from ctexp.record.run_dir import is_run
from ctexp.research.record import Answer, Broken
from ctexp.research.runner.order import Order
from ctexp.research.runner.trainings import names_begin
from ctexp.research.running.answering import told
from ctexp.research.running.failing import died
from ctexp.sweeps.agent.stopping import Stops

LOG_BYTES = 100 * 1024 * 1024
"""What a handler may print."""

_GRACE_SECONDS = 600.0
"""For the checkpoints of its trainings, once it was asked to stop."""

_SILENCE_SECONDS = 60.0
"""After so long without a line, one says that it still runs."""

_LOOK_SECONDS = 0.1
_TAIL_BYTES = 60_000


@dataclass(frozen=True)
class Bench:
    """What all handlers of a start have in common.

    Attributes:
        executor: carries them out.
        stops: whether to stop.
        tell: given a line for people.
        environment: gives what theirs has beyond this process's; asked for before each is begun.
        locks: held, which they hold too as long as they live, where they run on this machine.
    """

    executor: Executor
    stops: Stops
    tell: Callable[[str], None]
    environment: Callable[[], Mapping[str, str]]
    locks: tuple[FileLock, ...] = ()


def carry_out(order: Order, bench: Bench) -> Answer | None:
    """Have a handler carried out; its record, or None where it was asked to stop.

    Raises:
        StorageError: its order or its log cannot be written.
        PreflightError: its process ended before it came to the handler.
    """
    file = order.log.with_suffix(".order")
    order.write(file)
    began, since = clock.now(), time.monotonic()
    order.log.touch()
    environment = bench.environment()
    whole, descriptors = passed_on(*bench.locks, environment={**os.environ, **environment})
    handle = bench.executor.submit(
        Work(
            name=f"{order.experiment}-{order.sub}",
            words=[sys.executable, "-P", "-m", "ctexp.research.running.one", str(file)],
            folder=Path(order.root),
            log=order.log,
            environment={**environment, HELD: whole[HELD]},
            descriptors=descriptors,
            gpu=order.gpu,
            needs=[file, *_trained(order)],
        )
    )
    code, flooded = _watch(handle, order, bench)
    if bench.stops.why:
        return None
    try:
        answer = Answer.read(order.answer)
    except DataError as absent:
        if code > 0 and not order.said.exists():
            raise _unbegun(order) from absent
        error = _flood() if flooded else died(code, _tail(order.log))
        answer = Answer(**told(order, began, since, {}), state="failed", error=error)
    return answer


def _trained(order: Order) -> list[Path]:
    """The runs of its experiment: no training is done twice, and one broken off is gone on with."""
    begin = names_begin(order.experiment)
    return [] if order.stub else [run for run in Path(order.runs).glob(f"{begin}*") if is_run(run)]


def _watch(handle: Any, order: Order, bench: Bench) -> tuple[int, bool]:
    """Wait for its end; its exit code, and whether it was ended for printing too much."""
    followed = _Followed(order, bench.tell)
    flooded, stopping = False, None
    try:
        while (code := bench.executor.poll(handle)) is None:
            bench.stops.wait(_LOOK_SECONDS) if stopping is None else time.sleep(_LOOK_SECONDS)
            followed.tell()
            if not flooded and order.log.stat().st_size > LOG_BYTES:
                flooded = True
                bench.executor.cancel(handle, 0.0)
            if bench.stops.why and stopping is None:
                bench.tell("asked to stop: trainings under way are saved first; ask again to end at once")
                # On a thread of its own: whoever asks again is not to wait for it.
                stopping = Thread(target=bench.executor.cancel, args=(handle, _GRACE_SECONDS))
                stopping.start()
            if bench.stops.insisted:
                bench.executor.cancel(handle, 0.0)
    except BaseException:
        bench.executor.cancel(handle, _GRACE_SECONDS)
        raise
    followed.tell()
    return code, flooded


class _Followed:
    """Lines that a handler's process writes for people, told as they come; in their absence, that it runs."""

    def __init__(self, order: Order, tell: Callable[[str], None]) -> None:
        self._file = order.said
        self._name = f"{order.experiment}/{order.sub}"
        self._tell = tell
        self._read = 0
        self._began = self._last = time.monotonic()

    def tell(self) -> None:
        """Tell what is new."""
        lines, now = self._new(), time.monotonic()
        if not lines and now - self._last > _SILENCE_SECONDS:
            lines = [f"{self._name}: still running, {clock.duration(now - self._began)}"]
        if lines:
            self._last = now
        for line in lines:
            self._tell(line)

    def _new(self) -> list[str]:
        try:
            with self._file.open("rb") as file:
                file.seek(self._read)
                new = file.read()
        except FileNotFoundError:
            return []
        whole, newline, _ = new.rpartition(b"\n")
        self._read += len(whole + newline)
        return whole.decode(errors="replace").splitlines()


def _unbegun(order: Order) -> PreflightError:
    """The handler is not at fault: nobody has come to call it."""
    said = _tail(order.log).strip().splitlines() or ["it printed nothing"]
    why = said[-1].partition(" -> ")[0]
    return PreflightError(
        f"{order.experiment}/{order.sub}: its process never came to the handler: {why}",
        f"see {shown(order.log)}; then the same command again",
    )


def _flood() -> Broken:
    return Broken(
        kind="Flooded",
        message=f"the handler was ended: it had printed more than {LOG_BYTES // 1024 // 1024} MB",
        hint="print less; save_json_artifact keeps tables",
    )


def _tail(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        return file.read().decode(errors="replace")
