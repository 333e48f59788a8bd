"""Stores on this machine: an S3 by moto, and a folder behind a real sshd."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec
import pytest

_PRIVILEGES = Path("/run/sshd")
"""Which sshd wants to be there, if it is started by root."""


@contextmanager
def s3(bucket: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A service with an empty bucket, and its keys in the environment; its URL.

    It is a process of its own: deltalake holds Python still while it waits for an answer.
    """
    port = _free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with tempfile.TemporaryFile() as said:
        server = subprocess.Popen(command, stdout=said, stderr=said)
        try:
            _wait_for(server, port)
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
            monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
            monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
            url = f"http://127.0.0.1:{port}"
            files(url).mkdir(bucket)
            yield url
        finally:
            server.kill()
            server.wait()


def files(url: str) -> Any:
    """What lies in a service, as a file system whose first folders are buckets."""
    return fsspec.filesystem("s3", endpoint_url=url, skip_instance_cache=True)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def _wait_for(server: "subprocess.Popen[bytes]", port: int) -> None:
    """Wait until a server answers."""
    while server.poll() is None:
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.05)
    raise AssertionError(f"{server.args!r} ended with {server.returncode}")


@dataclass(frozen=True)
class Machine:
    """One that is reached by ssh.

    Attributes:
        port: its, on localhost.
        key: of somebody who may come in.
        stranger: of somebody who may not.
    """

    port: int
    key: Path
    stranger: Path


@contextmanager
def sshd(folder: Path) -> Iterator[Machine]:
    """This machine as one that is reached by ssh; skipped where it cannot be one."""
    program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None or shutil.which("ssh-keygen") is None:
        pytest.skip("no sshd here")
    if os.geteuid() == 0:
        _PRIVILEGES.mkdir(mode=0o755, exist_ok=True)
    for name in ("host", "key", "stranger"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(command, check=True)
    shutil.copy(folder / "key.pub", folder / "allowed")
    port = _free_port()
    (folder / "config").write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {folder / 'host'}\nPidFile none\nUsePAM no\n"
        f"AuthorizedKeysFile {folder / 'allowed'}\nStrictModes no\nPasswordAuthentication no\n"
        f"KbdInteractiveAuthentication no\nPermitRootLogin yes\nSubsystem sftp internal-sftp\n"
    )
    command = [program, "-D", "-e", "-f", str(folder / "config")]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    try:
        said = next((line for line in server.stderr if re.search("listening|fatal|error", line)), "nothing")
        if "listening" not in said:
            pytest.skip(f"sshd does not begin: {said}")
        yield Machine(port, folder / "key", folder / "stranger")
    finally:
        server.terminate()
        server.wait()
        server.stderr.close()
