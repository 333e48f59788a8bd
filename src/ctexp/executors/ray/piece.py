"""A piece of work on a Ray cluster, from the queue for a place to its end; its node may be lost meanwhile."""

import contextlib
import signal
import textwrap
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ctexp.core import files, heartbeat
from ctexp.core.errors import CtexpError, DataError
from ctexp.executors.again import Again
from ctexp.executors.protocol import Work
from ctexp.executors.ray.place import Told
from ctexp.executors.ray.ways import Way

_BRING_SECONDS = 3.0
"""Between two looks at what was written elsewhere."""

_LEAVING_SECONDS = 5.0

_MOST_CHARACTERS = 200

_LEFT_SECONDS = 60.0
"""A training whose node is lost may live on, cut off from us; so long its run is waited for."""


class RayWork:
    """A piece of work: where it is, and what it has told.

    Args:
        work: what it is.
        runs: the folder that its runs come to lie in.
        restarts: how often it may be begun again.
        place: gives a place on the cluster, which it may have to wait for.
        way: how it gets there.

    Attributes:
        work: what it is.
        code: its exit code, or minus the signal that killed it; None until it has ended.

    Raises:
        StorageError: its log cannot be written.
    """

    def __init__(
        self, work: Work, runs: Path, restarts: int, place: Callable[[], Any], way: Callable[[Work], Way]
    ) -> None:
        self.work = work
        self.code: int | None = None
        self._again = Again(work, runs)
        self._restarts = restarts
        self._place = place
        self._by = way
        self._asked = False
        self._say()
        self._begin(work)

    def look(self) -> int | None:
        """Take in what is new; its exit code, see `Executor`."""
        from ray.exceptions import ActorUnavailableError, GetTimeoutError, RayActorError, RayTaskError

        if self.code is None:
            try:
                self._hear() if self._lost_at is None else self._go_on(self._lost_at)
            except (RayActorError, GetTimeoutError) as error:
                if self._begun and isinstance(error, ActorUnavailableError):
                    self._ask_again()  # it may be back soon; if not, it is said to have died
                else:
                    self._lose(error)
            except RayTaskError as error:  # it cannot be begun there
                cause = error.cause
                self._say(*(cause.lines() if isinstance(cause, CtexpError) else [_line(error)]))
                self._end(cause.exit_code if isinstance(cause, CtexpError) else CtexpError.exit_code)
        return self.code

    def ask(self) -> None:
        """Ask it to end; what has not begun does not begin any more."""
        self._asked = True
        if self._begun:
            self._actor.ask.remote()
        else:
            self._end(-signal.SIGTERM)

    def kill(self) -> None:
        """End it, and all that it has started."""
        self._actor.kill.remote()

    def give_up(self) -> None:
        """End it unseen: it does not answer."""
        self._end(-signal.SIGKILL)

    def _begin(self, work: Work) -> None:
        self._way = self._by(work)
        self._actor = self._place()
        self._answer = self._actor.lacks.remote(self._way.cargo)
        self._begun, self._told = False, 0
        self._due = time.monotonic() + _BRING_SECONDS
        self._lost_at: float | None = None

    def _hear(self) -> None:
        """What its place answers, once it does."""
        import ray

        if not ray.wait([self._answer], timeout=0)[0]:
            if not self._begun:
                heartbeat.beat()  # to wait for a place is no silence
            return
        told: list[str] | Told = ray.get(self._answer)
        if isinstance(told, list):  # what the node lacks
            self._way.send(self._actor, told)
            self._answer = self._actor.begin.remote(self._way.work)
            return
        self._begun = True
        self._told += len(told.said)
        with files.storage_errors(self.work.log), self.work.log.open("ab") as log:
            log.write(told.said)
        if told.moved:
            heartbeat.beat()
        if told.code is None:
            self._bring()
            self._ask_again()
            return
        try:
            self._way.end()
        except DataError as error:  # its node is lost at the last moment, and the end of its run with it
            self._lose(error)
            return
        self._leave()
        if self._again.anew(told.code):
            self._release()
            self._begin(self.work)
        else:
            self._end(told.code)

    def _bring(self) -> None:
        if time.monotonic() >= self._due:
            self._way.bring()
            self._due = time.monotonic() + _BRING_SECONDS

    def _ask_again(self) -> None:
        self._answer = self._actor.look.remote(self._told)

    def _lose(self, error: Exception) -> None:
        """Its node, or its place there, has failed."""
        self._say(f"the place on the cluster is lost: {_line(error)}")
        self._begun = False
        with contextlib.suppress(DataError):  # what it had not sent is lost with it
            self._way.end()
        if self._asked or not self._restarts:
            self._end(-signal.SIGTERM if self._asked else -signal.SIGKILL)
            return
        self._restarts -= 1
        self._release()
        self._lost_at = time.monotonic()

    def _go_on(self, lost_at: float) -> None:
        """Begin again, once nobody trains its run any more."""
        heartbeat.beat()
        run = self._again.run()
        if run is not None and run.lock().is_held() and time.monotonic() - lost_at < _LEFT_SECONDS:
            return
        words = self._again.words()
        self._say("begun again" if words == self.work.words or not run else f"going on with {run.id}")
        self._begin(replace(self.work, words=words))

    def _end(self, code: int) -> None:
        self.code = code
        self._release()

    def _leave(self) -> None:
        import ray

        ray.wait([self._actor.leave.remote()], timeout=_LEAVING_SECONDS)

    def _release(self) -> None:
        import ray

        with contextlib.suppress(ray.exceptions.RayError):
            ray.kill(self._actor)

    def _say(self, *lines: str) -> None:
        """Into its log, which is made where it is missing."""
        with files.storage_errors(self.work.log):
            self.work.log.parent.mkdir(parents=True, exist_ok=True)
            with self.work.log.open("a") as log:
                log.writelines(f"{line}\n" for line in lines)


def _line(error: Exception) -> str:
    """What Ray says, of which much is for its makers."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return textwrap.shorten(lines[-1] if lines else type(error).__name__, _MOST_CHARACTERS, placeholder=" …")
