"""What a piece of work takes of a Ray cluster, and how many of them the cluster has room for."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ctexp.core.errors import PreflightError, UsageError
from ctexp.core.sizes import size_bytes
from ctexp.executors.settings import RaySettings

_FILE = "the executor's file in conf/executor"

Node = Mapping[str, float]
"""What a node has, by Ray's names: `CPU`, `GPU`, `memory` in bytes."""


@dataclass(frozen=True)
class Share:
    """What one piece of work takes: processors, GPUs, bytes of memory, of which 0 is not asked for."""

    cpus: float
    gpus: float
    memory: int

    def room(self, node: Node) -> int:
        """How many of them an idle node has room for."""
        wanted = {"CPU": self.cpus, "GPU": self.gpus, "memory": self.memory}
        return min(math.floor(node.get(key, 0.0) / value) for key, value in wanted.items() if value)

    def __str__(self) -> str:
        memory = f", memory {self.memory / 2**30:.3g} GiB" if self.memory else ""
        return f"cpus {self.cpus:g}, gpus {self.gpus:g}{memory}"


def share_of(settings: RaySettings, nodes: Sequence[Node], *, gpu: bool) -> Share:
    """What a piece of work takes, where there is a node that has it.

    Raises:
        UsageError: it asks for a part of a GPU.
        PreflightError: no node has so much.
    """
    gpus = settings.gpus
    if gpus == "auto":
        gpus = 1.0 if gpu and any(node.get("GPU", 0.0) for node in nodes) else 0.0
    if gpus != int(gpus):
        raise UsageError(
            f"gpus: {gpus:g}, but a training has its GPU alone", f"set a whole number in {_FILE}"
        )
    share = Share(settings.cpus, gpus, size_bytes(settings.memory) if settings.memory else 0)
    if not any(share.room(node) for node in nodes):
        have = "; ".join(f"cpus {node.get('CPU', 0.0):g}, gpus {node.get('GPU', 0.0):g}" for node in nodes)
        raise PreflightError(
            f"no node of the Ray cluster has {share}; they have {have}", f"set less in {_FILE}"
        )
    return share
