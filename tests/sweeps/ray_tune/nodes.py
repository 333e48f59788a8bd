"""Two nodes of a Ray cluster on this machine, in a process of their own: Ray's warnings are not ours.

`python -m tests.sweeps.ray_tune.nodes` prints the cluster's address; a line `fail` on its input kills the
second node without a farewell, and the end of the input ends both.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from tests.project import HERE

_MEMORY = 80 * 2**20


class Nodes:
    """The cluster, as a test has it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self._process = process
        self.address = next(line for line in process.stdout if line.startswith("at ")).split()[1]

    def fail(self) -> None:
        """Kill the second node, and wait until it is gone."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("fail\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "failed\n"


@contextlib.contextmanager
def two_nodes() -> Iterator[Nodes]:
    """Start them, one CPU each; the head has room for a trial too."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.sweeps.ray_tune.nodes"],
        cwd=HERE,
        env=os.environ | {"RAY_USAGE_STATS_ENABLED": "0", "OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield Nodes(process)
    finally:
        process.communicate(timeout=60)


def main() -> None:
    """Be the cluster."""
    from ray.cluster_utils import Cluster

    common: dict[str, Any] = {"num_cpus": 1, "num_gpus": 0, "object_store_memory": _MEMORY}
    cluster = Cluster(initialize_head=True, head_node_args={**common, "include_dashboard": False})
    second = cluster.add_node(**common)
    print(f"at {cluster.address}", flush=True)
    for _ in sys.stdin:
        cluster.remove_node(second, allow_graceful=False)
        print("failed", flush=True)
    cluster.shutdown()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
