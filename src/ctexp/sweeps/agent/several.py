"""Agents of one sweep, each a piece of work of an executor: begun, listened to, stopped together."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ctexp.executors.protocol import Executor, Work
from ctexp.sweeps.agent.stopping import Stops

OF_ALL_NODES = (
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
    *("WANDB_MODE", "WANDB_PROJECT", "WANDB_ENTITY", "WANDB_BASE_URL"),
    *("CTEXP_PLAN", "CTEXP_QUEUE", "CTEXP_JOB"),
)
"""Variables that a training has on every node as this process has them: results or records hang on them."""

_GRACE_SECONDS = 600.0
"""For the checkpoints of their trainings, once agents were asked to stop."""

_LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Ended:
    """An agent afterwards.

    Attributes:
        work: what it was begun as.
        code: its exit code, or minus the signal that killed it; None where it was not waited for.
    """

    work: Work
    code: int | None


def carry_out(
    agents: Sequence[Work], executor: Executor, stops: Stops, tell: Callable[[str], None]
) -> list[Ended]:
    """Have agents work until each has ended, or there is a reason to stop.

    Args:
        agents: what each is begun as.
        executor: carries them out.
        stops: when to stop; each agent is asked to give its trial back then.
        tell: given each line that an agent prints, with its name before it.

    Raises:
        CtexpError: one cannot be begun; those that were are asked to stop first.
    """
    crew = _Crew(executor, tell)
    try:
        for work in agents:
            crew.begin(work)
        while crew.under_way() and not stops.why:
            stops.wait(_LOOK_SECONDS)
    except BaseException:
        crew.stop(stops)
        raise
    if stops.why:
        crew.stop(stops)
    return [Ended(member.work, member.code) for member in crew.members]


class _Crew:
    """Agents that were begun."""

    def __init__(self, executor: Executor, tell: Callable[[str], None]) -> None:
        self.members: list[_Member] = []
        self._executor = executor
        self._tell = tell

    def begin(self, work: Work) -> None:
        self.members.append(_Member(work, self._executor.submit(work), self._tell))

    def under_way(self) -> bool:
        """Look at all of them; whether one has not ended."""
        for member in self.members:
            self._look(member)
        return any(member.code is None for member in self.members)

    def stop(self, stops: Stops) -> None:
        """Ask all at once to end, and wait until they have, unless one insists that nobody waits."""
        asked = {member.work.name: self._asked(member) for member in self.members if member.code is None}
        while any(thread.is_alive() for thread in asked.values()) and not stops.insisted:
            for member in self.members:
                member.tell_new()
            time.sleep(_LOOK_SECONDS)
        for member in self.members:
            if member.work.name in asked and not asked[member.work.name].is_alive():
                self._look(member)

    def _asked(self, member: "_Member") -> threading.Thread:
        """Who asks one to end waits until it has: a thread for each, and the others are asked meanwhile."""
        ask = self._executor.cancel
        thread = threading.Thread(target=ask, args=(member.handle, _GRACE_SECONDS), daemon=True)
        thread.start()
        return thread

    def _look(self, member: "_Member") -> None:
        if member.code is None:
            member.code = self._executor.poll(member.handle)
        member.tell_new()


class _Member:
    """An agent that was begun, and what it says."""

    def __init__(self, work: Work, handle: Any, tell: Callable[[str], None]) -> None:
        self.work = work
        self.handle = handle
        self.code: int | None = None
        self._tell = tell
        self._read = 0

    def tell_new(self) -> None:
        """Tell the lines that have come; the last one too, once it has ended."""
        try:
            with self.work.log.open("rb") as file:
                file.seek(self._read)
                new = file.read()
        except FileNotFoundError:  # it waits for its turn
            return
        said = new if self.code is not None else new[: new.rfind(b"\n") + 1]
        self._read += len(said)
        for line in said.decode(errors="replace").splitlines():
            self._tell(f"{self.work.name}: {line}")
