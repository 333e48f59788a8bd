"""A Ray cluster: the one that `RAY_ADDRESS` names, else one of this machine for as long as it is needed."""

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from ctexp.core.errors import PreflightError, UsageError
from ctexp.executors.ray import joining

_SETTINGS = {
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
    address = os.environ.get(joining.ADDRESS) or "local"
    with contextlib.redirect_stdout(sys.stderr):  # where Ray tells of nodes that fail
        joining.join(
            address, f"{joining.ADDRESS}={address}", f", or unset {joining.ADDRESS} to use this machine"
        )
        import ray

        try:
            nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
            yield _share(resources, [node["Resources"] for node in nodes if node["Alive"]])
        finally:
            ray.shutdown()


def _share(resources: Mapping[str, float], nodes: list[Mapping[str, float]]) -> dict[str, float]:
    """What a trial takes; a node that has it must be there."""
    cpus = resources.get("cpus", 1.0)
    gpus = resources.get("gpus", 1.0 if any(node.get("GPU", 0) for node in nodes) else 0.0)
    where = "set cpus and gpus under ctexp: resources: in the sweep's file"
    if gpus != int(gpus):
        raise UsageError(f"gpus: {gpus:g}, but a training has its GPU alone", where)
    if not any(node.get("CPU", 0) >= cpus and node.get("GPU", 0) >= gpus for node in nodes):
        have = "; ".join(f"cpus {node.get('CPU', 0):g}, gpus {node.get('GPU', 0):g}" for node in nodes)
        raise PreflightError(
            f"no node of the cluster has what a trial takes (cpus {cpus:g}, gpus {gpus:g}); they have {have}",
            where,
        )
    return {"cpu": cpus, "gpu": gpus}
