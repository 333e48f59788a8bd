"""Who carries an errand out: Modal, or, in a stub run, this machine in its stead."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import weakref
from pathlib import Path
from typing import Any, Protocol

from ctexp.core.errors import DataError, PreflightError, StorageError
from ctexp.core.parent_death import tied_to_this
from ctexp.executors.modal.carrying import MOUNT
from ctexp.executors.modal.making import Made, make
from ctexp.executors.settings import ModalSettings
from ctexp.executors.storage import Place, Url, first_line


class Lost(Exception):
    """The machine that carried it out is no more; the text says why, as far as that is known."""


class Call(Protocol):
    """An errand under way."""

    def code(self) -> int | None:
        """Its exit code; None while it runs, or waits for its turn.

        Raises:
            Lost: it will never have one.
        """
        ...

    def stop(self) -> None:
        """Ask it to end."""
        ...

    def kill(self) -> None:
        """End it."""
        ...


class Service(Protocol):
    """Carries errands out.

    Attributes:
        place: by way of which.
    """

    place: Place

    def begin(self, name: str, *, gpu: bool) -> Call:
        """Have an errand carried out."""
        ...


def check_account() -> None:
    """See to it that Modal knows who asks.

    Raises:
        PreflightError: nobody is logged in, or Modal does not answer.
    """
    import modal

    try:
        modal.Client.from_env()
    except modal.exception.Error as error:
        problem = f"Modal: {first_line(error).partition('. If you')[0]}"
        raise PreflightError(
            problem,
            ".venv/bin/modal token new; what handlers do is tried without it by research-run --stub-mode",
        ) from error


class Rented:
    """Modal. The app is there as long as this process is; what it has begun ends with it.

    Raises:
        PreflightError: the package is missing, nobody is logged in, or the app cannot be made.
    """

    def __init__(self, settings: ModalSettings, root: Path) -> None:
        made = make(settings, root)
        import modal

        self._made = made
        self._volume = settings.volume
        self._open = contextlib.ExitStack()
        check_account()
        try:
            self._open.enter_context(made.app.run())
            made.volume.hydrate()
        except modal.exception.Error as error:
            raise PreflightError(f"Modal: {first_line(error)}", "see conf/executor, and modal.com") from error
        self.place: Place = _Volume(made)

    def begin(self, name: str, *, gpu: bool) -> Call:
        """Have an errand carried out; see `Service`."""
        return _Remote(self._made.functions[gpu].spawn(name, self._volume))


class StandIn:
    """This machine: the very function that Modal would run, in a process of its own, a folder for the volume.

    Raises:
        PreflightError: the package is missing, or the app cannot be described.
    """

    def __init__(self, settings: ModalSettings, root: Path) -> None:
        make(settings, root)  # once here, where its errors are told
        self._words = [settings.model_dump_json(), str(root)]
        self._folder = tempfile.mkdtemp(prefix="ctexp-modal-volume-")
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self.place: Place = Url(Path(self._folder).as_uri())

    def begin(self, name: str, *, gpu: bool) -> Call:
        """Have an errand carried out; see `Service`."""
        del gpu
        return _Here(
            subprocess.Popen(
                [sys.executable, "-P", "-m", "ctexp.executors.modal.rehearsal", *self._words, name],
                env={**os.environ, MOUNT: self._folder},
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=tied_to_this(),
            )
        )


class _Remote:
    """A call of the function on Modal."""

    def __init__(self, call: Any) -> None:
        self._call = call

    def code(self) -> int | None:
        """Its exit code; see `Call`."""
        import modal

        try:
            code: int | None = self._call.get(timeout=0)
        except OSError:  # a TimeoutError says that it runs, others that the network does not
            return None
        except _transient():
            return None
        except (modal.exception.Error, modal.exception.InputCancellation) as error:
            raise Lost(first_line(error)) from error
        if code is None:
            raise Lost("its machine was lost")
        return code

    def stop(self) -> None:
        """Ask it to end; Modal gives it half a minute."""
        self._call.cancel()

    def kill(self) -> None:
        """End it with its machine."""
        self._call.cancel(terminate_containers=True)


class _Here:
    """A call of the function on this machine."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def code(self) -> int | None:
        """Its exit code; see `Call`."""
        code = self._process.poll()
        if code is not None and code < 0:
            raise Lost(f"killed by {signal.Signals(-code).name}")
        return code

    def stop(self) -> None:
        """Ask it to end."""
        self._process.terminate()

    def kill(self) -> None:
        """End it, and all that it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)


class _Volume:
    """Modal's volume, from outside; see `Place`."""

    def __init__(self, made: Made) -> None:
        self._volume = made.volume

    def put(self, key: str, file: Path) -> None:
        """Keep what a file says now; see `Place`."""
        try:
            with self._volume.batch_upload(force=True) as batch:
                batch.put_file(str(file), f"/{key}")
        except Exception as error:  # Modal's, and those of the store behind it
            raise StorageError(
                f"Modal: cannot write {key} ({first_line(error)})", "see `.venv/bin/modal volume`"
            ) from error

    def get(self, key: str, file: Path) -> bool:
        """Write what is kept into a file; see `Place`."""
        try:
            with file.open("wb") as writing:
                self._volume.read_file_into_fileobj(key, writing)
        except FileNotFoundError:
            return False
        except Exception as error:  # Modal's, and those of the store behind it
            raise DataError(
                f"Modal: cannot read {key} ({first_line(error)})", "see `.venv/bin/modal volume`"
            ) from error
        return True

    def drop(self, key: str) -> None:
        """Forget a key, and all below it; see `Place`."""
        with contextlib.suppress(FileNotFoundError):
            self._volume.remove_file(key, recursive=True)


def _transient() -> tuple[type[Exception], ...]:
    """What says that Modal did not answer, and nothing of the work."""
    from modal import exception

    return exception.ConnectionError, exception.ServiceError, exception.InternalError
