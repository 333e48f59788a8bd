"""A Ray cluster: the one that `RAY_ADDRESS` names, else one of this machine for as long as it is needed."""

import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from ctexp.core.errors import PreflightError

ADDRESS = "RAY_ADDRESS"

_OBJECT_STORE_BYTES = 100 * 2**20
"""What trials tell is short; Ray would take a third of the memory."""

_ANSWER_SECONDS = 5.0

_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",  # it would tell its makers
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # it would send the project's folder to every node
    "RAY_AIR_NEW_OUTPUT": "0",  # which prints although nothing is to be printed
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # the run directories say all that
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",  # a run's beginning is told too
    "TUNE_RESULT_BUFFER_LENGTH": "1",
}


@contextlib.contextmanager
def joined(resources: Mapping[str, float]) -> Iterator[dict[str, float]]:
    """Be this cluster's driver for a while; whatever it has started ends with it.

    Args:
        resources: `cpus` and `gpus` of a trial; without a word one CPU, and one GPU where there are any.

    Returns:
        What each trial takes, as Tune has it.

    Raises:
        PreflightError: Ray is not installed, the cluster does not answer, or no node of it can take a trial.
    """
    os.environ.update(_SETTINGS)
    try:
        import ray
    except ImportError as error:
        raise PreflightError(f"Ray is not installed ({error})", "uv pip install -e '.[ray]'") from error
    address = os.environ.get(ADDRESS) or "local"
    with contextlib.redirect_stdout(sys.stderr):  # where Ray tells of nodes that fail
        _join(address)
        try:
            nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
            yield _share(resources, [node["Resources"] for node in nodes if node["Alive"]])
        finally:
            ray.shutdown()


def _join(address: str) -> None:
    """Become the driver of the cluster at an address, or of one that is started here."""
    import ray

    local = address == "local"
    if not local and (problem := _unreachable(address)):
        raise PreflightError(
            f"{ADDRESS}={address}: {problem}",
            f"start a cluster with `ray start --head`, or unset {ADDRESS} to use this machine",
        )
    ours = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(
            address=address,
            include_dashboard=False if local else None,
            object_store_memory=_OBJECT_STORE_BYTES if local else None,
            log_to_driver=False,
            logging_level=logging.CRITICAL,  # what becomes of a trial, the agent says
        )
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise PreflightError(
            f"the Ray cluster {address} cannot be joined: {error}", "see `ray status`"
        ) from error
    signal.signal(signal.SIGTERM, ours)  # Ray has put its own there, which ends this process at once


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


def _share(resources: Mapping[str, float], nodes: list[Mapping[str, float]]) -> dict[str, float]:
    """What a trial takes; a node that has it must be there."""
    cpus = resources.get("cpus", 1.0)
    gpus = resources.get("gpus", 1.0 if any(node.get("GPU", 0) for node in nodes) else 0.0)
    where = "set cpus and gpus under ctexp: resources: in the sweep's file"
    if gpus != int(gpus):
        raise PreflightError(f"a trial asks for {gpus:g} GPUs, but a training has its GPU alone", where)
    if not any(node.get("CPU", 0) >= cpus and node.get("GPU", 0) >= gpus for node in nodes):
        have = ", ".join(f"{node.get('CPU', 0):g} and {node.get('GPU', 0):g}" for node in nodes)
        raise PreflightError(
            f"no node of the cluster has the {cpus:g} CPUs and {gpus:g} GPUs of a trial; they have {have}",
            where,
        )
    return {"cpu": cpus, "gpu": gpus}
