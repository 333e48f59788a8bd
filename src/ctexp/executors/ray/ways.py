"""How a piece of work gets to its node, and what it writes back: `storage` in conf/executor."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ctexp.executors import node
from ctexp.executors.errand import Errand, order
from ctexp.executors.protocol import Work
from ctexp.executors.ray.across import Across
from ctexp.executors.ray.place import STORAGE
from ctexp.executors.storage import Url


def ways(storage: str, root: Path) -> "Callable[[Work], Way]":
    """What a setting says, for any number of pieces of work.

    Args:
        storage: `shared`, `copy` or a URL.
        root: the project's folder.

    Raises:
        PreflightError: there is no such kind of URL here.
    """
    if storage == "shared":
        return lambda work: Way(
            replace(work, environment={**work.environment, "CTEXP_ROOT": str(work.folder)})
        )
    if storage == "copy":
        here = tempfile.TemporaryDirectory(prefix="ctexp-ray-")

        def copied(work: Work) -> Way:
            across = Across(here)
            return Way(work, order(work, root, across), STORAGE, across)

        return copied
    place = Url(storage)
    return lambda work: Way(work, order(work, root, place), storage)


class Way:
    """There and back, for one time that a piece of work is begun.

    Args:
        work: to be done.
        errand: the same, ordered by way of a storage; None where every node sees the project's folder.
        url: of that storage, as the node reaches it.
        across: the storage where Ray itself carries it to the node.

    Attributes:
        work: what the node is to do.
        cargo: keys of what it needs for that and may lack.
    """

    def __init__(
        self, work: Work, errand: Errand | None = None, url: str = "", across: Across | None = None
    ) -> None:
        self.work, self._errand, self._across = work, errand, across
        self.cargo: Sequence[str] = ()
        if errand is not None:
            words = node.words_of(url, errand.name)
            self.work = replace(work, words=words, folder=Path("/"), environment={}, needs=())
            self.cargo = across.cargo(errand.name) if across else ()

    def send(self, actor: Any, lacking: Sequence[str]) -> None:
        """It has a place: send what is lacking there."""
        if self._across is not None:
            self._across.actor = actor
            self._across.send(lacking)

    def bring(self) -> None:
        """Bring what was written there so far."""
        if self._errand is not None:
            self._errand.bring()

    def end(self) -> None:
        """Bring the last of it.

        Raises:
            DataError: it cannot be had.
            StorageError: it cannot be written here.
        """
        if self._errand is not None:
            self._errand.end()
