"""A PostgreSQL server of Debian's package, for a test: a cluster of its own in a folder that goes away."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PROGRAMS = max(Path("/usr/lib/postgresql").glob("*/bin"), default=Path("/nowhere"))
"""Where Debian has its newest one."""


@dataclass
class Server:
    """It listens on a port of this machine, and lets its user in without a password.

    Attributes:
        url: of an empty database.
    """

    folder: Path
    port: int
    _process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"postgresql://sweeper@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Begin to listen; the data are those of the last time."""
        where = f"-c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} -c fsync=off"
        words: list[Path | str] = [
            PROGRAMS / "postgres",
            "-D",
            self.folder / "data",
            "-p",
            str(self.port),
            *where.split(),
        ]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(_as_nobody(words), stdout=log, stderr=log)
        end = time.monotonic() + 60
        while not self._answers():
            assert time.monotonic() < end, (self.folder / "log").read_text()
            time.sleep(0.1)

    def stop(self) -> None:
        """End at once, and every connection with it."""
        subprocess.run(
            _as_nobody([PROGRAMS / "pg_ctl", "-D", self.folder / "data", "-m", "immediate", "stop"]),
            check=True,
            capture_output=True,
        )
        assert self._process is not None
        self._process.wait(60)

    def _answers(self) -> bool:
        asked: list[Path | str] = [PROGRAMS / "pg_isready", "-h", "127.0.0.1", "-p", str(self.port), "-q"]
        return subprocess.run(asked, check=False).returncode == 0


@contextlib.contextmanager
def a_server() -> Iterator[Server]:
    """One that runs, with nothing in it."""
    folder = Path(tempfile.mkdtemp(prefix="sweep-postgres-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        words: list[Path | str] = [
            PROGRAMS / "initdb",
            "-D",
            folder / "data",
            "-A",
            "trust",
            "-U",
            "sweeper",
            "--no-sync",
        ]
        subprocess.run(_as_nobody(words), check=True, capture_output=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            server = Server(folder, free.getsockname()[1])
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def _as_nobody(words: Sequence[Path | str]) -> list[Path | str]:
    """PostgreSQL refuses root; Debian's package brings a user for it."""
    before = (
        ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    )
    return [*before, *words]
