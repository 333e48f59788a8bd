"""Becoming a driver of a Ray cluster; whatever that has started ends with this process."""

import logging
import os
import signal
import socket
import sys
import threading
from typing import Any, TextIO, cast

from ctexp.core import extras
from ctexp.core.errors import PreflightError

ADDRESS = "RAY_ADDRESS"

NOT_OF_A_NODE = ("CTEXP_HELD_LOCKS", "CTEXP_REFEREE", "CTEXP_WARM")
"""Descriptors and sockets that a node's Ray may have been started with, and that are nobody's there."""

_OBJECT_STORE_BYTES = 100 * 2**20
"""Of a cluster of this machine alone: what is told is short, and Ray would take a third of the memory."""

_ANSWER_SECONDS = 5.0

_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",  # it would tell its makers
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # it would send the project's folder to every node
}


def check_installed() -> None:
    """See to it that Ray is here, and says nothing to its makers.

    Raises:
        PreflightError: it is not installed.
    """
    os.environ.update(_SETTINGS)
    try:
        import ray  # noqa: F401
    except ImportError as error:
        raise PreflightError(f"Ray is not installed ({error})", extras.install("ray")) from error


def join(address: str, called: str, otherwise: str = "") -> None:
    """Become a driver of the cluster at an address.

    Args:
        address: `HOST:PORT` of its head; `auto` for the one that this machine is part of; `local` for one
            that is started here, and ends with this process.
        called: where the address was said, with what stands there.
        otherwise: what else a person may do who has no cluster.

    Raises:
        PreflightError: Ray is not installed, or the cluster does not answer.
    """
    check_installed()
    import ray

    local = address == "local"
    if not local and (problem := _unreachable(address)):
        raise PreflightError(
            f"{called}: {problem}", f"start a cluster with `.venv/bin/ray start --head`{otherwise}"
        )
    ours = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(
            address=address,
            include_dashboard=False if local else None,
            object_store_memory=_OBJECT_STORE_BYTES if local else None,
            log_to_driver=False,
            logging_level=logging.CRITICAL,  # what becomes of its work, we say
        )
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        if address == "auto" and isinstance(error, ConnectionError):
            raise PreflightError(
                "no Ray cluster runs here (address: auto)",
                f"start one: .venv/bin/ray start --head; or set {ADDRESS}",
            ) from error
        raise PreflightError(
            f"the Ray cluster {address} cannot be joined: {error}", "see `.venv/bin/ray status`"
        ) from error
    signal.signal(signal.SIGTERM, ours)  # Ray has put its own there, which ends this process at once
    sys.stdout = cast(TextIO, _WithoutRay(sys.stdout))


def head() -> str:
    """The address of the head of the cluster that was joined."""
    import ray

    return str(ray.get_runtime_context().gcs_address)


class _WithoutRay:
    """Standard output, on which Ray tells of nodes that fail, whenever it likes: that goes to stderr."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, wherever it belongs."""
        rays = threading.current_thread().name.startswith("ray_")
        return (sys.stderr if rays else self._stream).write(text)

    def __getattr__(self, name: str) -> Any:
        """Everything else is the stream's own."""
        return getattr(self._stream, name)


def _unreachable(address: str) -> str:
    """Why no cluster can be joined there, which Ray would take minutes to find out; empty where one can."""
    if address == "auto":  # it knows which was started here
        return ""
    host, _, port = address.rpartition(":")
    if not port.isdecimal() or "/" in host:
        return "no address of a cluster's head; write host:6379"
    try:
        socket.create_connection((host, int(port)), _ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        return f"nothing answers ({error})"
    return ""
