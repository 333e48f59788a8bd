"""Two nodes of a Ray cluster on this machine, in a process of their own: Ray's warnings are not ours.

`python -m tests.sweeps.ray_tune.nodes` prints the cluster's address; a line `fail` on its input kills the
second node without a farewell, and the end of the input ends both. `die` kills all that runs on it too, as if
its plug was pulled.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psutil

from tests.project import HERE

_MEMORY = 80 * 2**20

_AS_OTHERS = {"RAY_worker_niceness": "0"}
"""Ray has what it starts stand back behind other processes: on a busy machine for minutes."""


class Nodes:
    """The cluster, as a test has it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self._process = process
        self.pid = process.pid
        self.address = next(line for line in process.stdout if line.startswith("at ")).split()[1]

    def fail(self) -> None:
        """Kill the second node, and wait until it is gone."""
        self._have("fail")

    def die(self) -> None:
        """Kill the second node and every process on it, at once."""
        self._have("die")

    def _have(self, what: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"


@contextlib.contextmanager
def two_nodes() -> Iterator[Nodes]:
    """Start them, one CPU each; the head has room for a trial too."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.sweeps.ray_tune.nodes"],
        cwd=HERE,
        env=os.environ | {"RAY_USAGE_STATS_ENABLED": "0", "OMP_NUM_THREADS": "1"} | _AS_OTHERS,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield Nodes(process)
    finally:
        process.communicate(timeout=60)


def kill(node: Any) -> None:
    """End all that runs on a node, children of children first asked for, then none left out."""
    (raylet,) = node.all_processes["raylet"]
    top = psutil.Process(raylet.process.pid)
    all_of_it = [top, *top.children(recursive=True)]
    for process in all_of_it:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.suspend()
    for process in [*top.children(recursive=True), *all_of_it]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def main() -> None:
    """Be the cluster."""
    from ray.cluster_utils import Cluster

    common: dict[str, Any] = {"num_cpus": 1, "num_gpus": 0, "object_store_memory": _MEMORY}
    cluster = Cluster(initialize_head=True, head_node_args={**common, "include_dashboard": False})
    second = cluster.add_node(**common)
    print(f"at {cluster.address}", flush=True)
    for line in sys.stdin:
        if line == "die\n":
            kill(second)
        cluster.remove_node(second, allow_graceful=False)
        print("done", flush=True)
    cluster.shutdown()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
