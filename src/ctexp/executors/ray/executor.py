"""Work on a Ray cluster: an actor for each piece, which has it done by a process of its node."""

import os
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from ctexp.config.compose import resolve_paths
from ctexp.core.wording import many
from ctexp.executors.protocol import Resources, Work
from ctexp.executors.ray import joining
from ctexp.executors.ray.piece import RayWork
from ctexp.executors.ray.place import Place
from ctexp.executors.ray.share import Node, share_of
from ctexp.executors.ray.ways import Way, ways
from ctexp.executors.settings import RaySettings

_LOOK_SECONDS = 0.1

_DYING_SECONDS = 20.0
"""For what was killed to be told as ended."""


class Ray:
    """A Ray cluster that runs already, and whose nodes have this environment.

    Args:
        settings: which cluster, and what a piece of work takes of it.
        root: the project's folder.
    """

    def __init__(self, settings: RaySettings, root: Path) -> None:
        self._settings = settings
        self._root = root

    def resources(self) -> Resources:
        """What there is to work with: room on the nodes that live; see `Executor`."""
        nodes = self._nodes()
        share = share_of(self._settings, nodes, gpu=True)
        room = sum(share.room(node) for node in nodes)
        slots = min(room, self._settings.at_once or room)
        where = f"a Ray cluster of {many(len(nodes), 'node')} at {joining.head()}"
        said = f"{where}: {slots} at a time, each with {share}"
        return Resources(slots, said, max(1, int(share.cpus)))

    def submit(self, work: Work) -> RayWork:
        """Begin a piece of work, or have it wait for a place; see `Executor`.

        Raises:
            UsageError: the settings ask for a part of a GPU.
            PreflightError: the cluster cannot be joined, or no node of it has enough.
            StorageError: its log cannot be written.
        """
        share = share_of(self._settings, self._nodes(), gpu=work.gpu)
        import ray

        actor = ray.remote(Place).options(
            num_cpus=share.cpus,
            num_gpus=share.gpus,
            memory=share.memory or None,
            max_restarts=0,  # it would be an empty place: what it had begun, only we know
        )
        runs = resolve_paths(self._root)[1]
        return RayWork(work, runs, self._settings.restarts, actor.remote, self._way)

    def poll(self, handle: RayWork) -> int | None:
        """Its exit code; see `Executor`."""
        return handle.look()

    def cancel(self, handle: RayWork, grace: float) -> None:
        """Ask it to end, and end it where it has not after so many seconds; see `Executor`."""
        if handle.look() is not None:
            return
        handle.ask()
        if not _ended(handle, grace):
            handle.kill()
            if not _ended(handle, _DYING_SECONDS):
                handle.give_up()

    @cached_property
    def _way(self) -> Callable[[Work], Way]:
        return ways(self._settings.storage, self._root)

    def _nodes(self) -> list[Node]:
        """What each living node has; for that the cluster is joined."""
        joining.check_installed()
        import ray

        if not ray.is_initialized():
            address = self._settings.address
            if address == "auto":
                address = os.environ.get(joining.ADDRESS) or address
            joining.join(address, f"the Ray cluster {address}")
        nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
        return [node["Resources"] for node in nodes if node["Alive"]]


def _ended(handle: RayWork, seconds: float) -> bool:
    """Whether it has ended after so many seconds."""
    end = time.monotonic() + seconds
    while handle.look() is None and time.monotonic() < end:
        time.sleep(_LOOK_SECONDS)
    return handle.code is not None
