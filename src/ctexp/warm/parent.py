"""A parent of one's own: started for an agent or a night, and gone with it."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from ctexp.warm.place import listen, runtime_folder
from ctexp.warm.server import command

_PATIENCE = 5.0  # seconds; no job is on its way when it is asked to end


class Parent:
    """A warm trainer that ends with this process, however that ends.

    It answers at once, and the first job waits for its imports as it would for those of a fresh process.

    Args:
        root: the project's folder.
        environment: that of the jobs, as far as it is read by imports; else this process's own.
        owner: the process it ends with; else this one.

    Attributes:
        socket: for the client, or for `CTEXP_WARM`.
    """

    def __init__(
        self, root: Path, environment: Mapping[str, str] | None = None, *, owner: int | None = None
    ) -> None:
        self._root = root
        self._environment = os.environ if environment is None else environment
        self._owner = owner or os.getpid()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def start(self) -> Path:
        """Start it; its socket.

        Raises:
            PreflightError: there is no place for a socket.
        """
        self.socket = Path(tempfile.mkdtemp(prefix="warm-", dir=runtime_folder())) / "socket"
        with listen(self.socket) as listening:
            self._process = subprocess.Popen(
                command(self.socket, listening, self._owner),
                cwd=self._root,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=[listening.fileno()],
            )
        return self.socket

    @property
    def pid(self) -> int:
        """Its process, once it was started."""
        if self._process is None:
            raise ValueError("the warm trainer was not started")
        return self._process.pid

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
        shutil.rmtree(self.socket.parent, ignore_errors=True)
