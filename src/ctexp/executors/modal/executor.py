"""Work on machines of Modal, by way of a volume; in a stub run on this machine, which stands in for them."""

import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from ctexp.config.compose import resolve_paths
from ctexp.core import files, heartbeat
from ctexp.core.wording import many
from ctexp.executors.again import Again
from ctexp.executors.errand import order
from ctexp.executors.modal.carrying import printed
from ctexp.executors.modal.making import check_installed
from ctexp.executors.modal.services import Lost, Rented, Service, StandIn, check_account
from ctexp.executors.protocol import Resources, Work
from ctexp.executors.settings import ModalSettings

_LOOK_SECONDS = 0.2

_BRING_SECONDS = 5.0
"""Between two looks at what is new; each asks the volume for its index."""

_DYING_SECONDS = 20.0

_PATIENCE_SECONDS = 300.0
"""For the last files, where Modal does not answer."""


class ModalWork:
    """A piece of work under way.

    Args:
        work: what it is.
        again: knows its words each time it is begun.
        restarts: how often it may be begun again.
        service: carries it out.
        root: the project's folder.

    Attributes:
        work: what it is.
        code: its exit code, or minus the signal that killed it; None until it has ended.
        asked: to end.
    """

    def __init__(self, work: Work, again: Again, restarts: int, service: Service, root: Path) -> None:
        self.work = work
        self.code: int | None = None
        self.asked = False
        self._due = 0.0
        self._again, self._restarts, self._service, self._root = again, restarts, service, root
        with files.storage_errors(work.log):
            work.log.parent.mkdir(parents=True, exist_ok=True)
            work.log.touch()
        self._begin(work.words)

    def look(self) -> None:
        """Take in what is new."""
        if self.code is not None:
            return
        heartbeat.beat()
        try:
            code = self.call.code()
        except Lost as lost:
            self._lost(lost)
            return
        if code is not None:
            self._ended(code)
        elif time.monotonic() >= self._due:
            self._errand.bring()
            self._copy()
            self._due = time.monotonic() + _BRING_SECONDS

    def give_up(self) -> None:
        """It does not answer any more."""
        self._errand.let_go()
        self.code = -signal.SIGKILL

    def _begin(self, words: Sequence[str]) -> None:
        self._errand = order(replace(self.work, words=words), self._root, self._service.place)
        self.call = self._service.begin(self._errand.name, gpu=self.work.gpu)
        self._pieces = 0

    def _ended(self, code: int) -> None:
        self._copy()
        self._errand.end(_PATIENCE_SECONDS)
        if self._again.anew(code):
            self._begin(self.work.words)
        else:
            self.code = code

    def _lost(self, lost: Lost) -> None:
        """Its machine is no more; what it has sent is all that is left of it."""
        self._copy()
        self._errand.end(_PATIENCE_SECONDS)
        if self.asked or not self._restarts:
            self._say("" if self.asked else f"lost: {lost}")
            self.code = -signal.SIGTERM if self.asked else -signal.SIGKILL
            return
        self._restarts -= 1
        self._say(f"lost, and begun again: {lost}")
        self._begin(self._again.words())

    def _copy(self) -> None:
        """Append what was printed since to the log."""
        while (said := printed(self._service.place, self._errand.name, self._pieces)) is not None:
            with files.storage_errors(self.work.log), self.work.log.open("ab") as log:
                log.write(said)
            self._pieces += 1

    def _say(self, line: str) -> None:
        if line:
            files.append_line(self.work.log, line)


class Modal:
    """Machines of Modal, rented as long as there is work.

    Args:
        settings: what is rented.
        root: the project's folder.
        stub: this machine stands in for them; nothing is rented, and no account is needed.
    """

    def __init__(self, settings: ModalSettings, root: Path, *, stub: bool = False) -> None:
        self._settings = settings
        self._root = root
        self._stub = stub

    def resources(self) -> Resources:
        """What there is to work with; see `Executor`."""
        check_installed()
        if self._stub:
            return Resources(1, "this machine, in the stead of Modal")
        check_account()
        slots, kind = self._settings.at_once, self._settings.gpu or "no GPU"
        return Resources(
            slots,
            f"Modal: {many(slots, 'machine')} at once, with {kind}",
            int(self._settings.cpus) or 1,
        )

    def submit(self, work: Work) -> ModalWork:
        """Begin a piece of work; see `Executor`.

        Raises:
            PreflightError: Modal cannot be reached, or the work cannot be taken elsewhere.
            StorageError: its log, or the volume, cannot be written.
        """
        again = Again(work, resolve_paths(self._root)[1])
        return ModalWork(work, again, self._settings.restarts, self._service, self._root)

    def poll(self, handle: ModalWork) -> int | None:
        """Its exit code; see `Executor`."""
        handle.look()
        return handle.code

    def cancel(self, handle: ModalWork, grace: float) -> None:
        """Ask it to end, and end it where it has not after so many seconds; see `Executor`."""
        if self.poll(handle) is not None:
            return
        handle.asked = True
        if grace:
            handle.call.stop()
            self._wait(handle, grace)
        if handle.code is None:
            handle.call.kill()
            self._wait(handle, _DYING_SECONDS)
        if handle.code is None:
            handle.give_up()

    @cached_property
    def _service(self) -> Service:
        return StandIn(self._settings, self._root) if self._stub else Rented(self._settings, self._root)

    def _wait(self, handle: ModalWork, seconds: float) -> None:
        end = time.monotonic() + seconds
        while self.poll(handle) is None and time.monotonic() < end:
            time.sleep(_LOOK_SECONDS)
