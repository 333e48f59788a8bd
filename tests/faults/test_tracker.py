"""A tracking service that answers once and then never again costs its bound, and no more."""

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ctexp.record.find import run_paths
from ctexp.record.run_dir import RunDir
from tests.project import TINY

TIMEOUT = 2
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def answer_once(server: socket.socket, held: list[socket.socket]) -> None:
    """Answer the first request; take all others and say nothing."""
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        held.append(connection)
        if len(held) == 1:
            connection.recv(4096)
            connection.sendall(ANSWER)


@pytest.mark.slow
def test_a_service_that_falls_silent(project: Path) -> None:
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=answer_once, args=(server, held), daemon=True).start()
        words = [word for word in TINY if not word.startswith("logger")]
        done = subprocess.run(
            [
                Path(sys.executable).with_name("inv"),
                "train",
                *words,
                "logger=wandb",
                "logger.mode=online",
                f"logger.timeout={TIMEOUT}",
            ],
            cwd=project,
            env=os.environ
            | {
                "WANDB_BASE_URL": f"http://127.0.0.1:{server.getsockname()[1]}",
                "WANDB_API_KEY": "a" * 40,
                "OMP_NUM_THREADS": "1",
            },
            capture_output=True,
            text=True,
            timeout=120,
        )
        left = time.time()
        server.shutdown(socket.SHUT_RDWR)
    for connection in held:
        connection.close()
    assert len(held) > 1, "the tracker never came back"
    assert done.returncode == 0, done.stderr
    (run,) = (RunDir(path) for path in run_paths(project / "runs"))
    result = run.read().result
    assert result is not None
    assert result.state == "finished"
    assert any("tracker" in warning for warning in result.warnings)
    assert result.duration_seconds < 20
    # The service's own process takes a while to give up; the record is complete by then.
    assert left - run.result.stat().st_mtime < 30
