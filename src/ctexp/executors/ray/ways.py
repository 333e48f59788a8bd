"""How a piece of work gets to its node, and what it writes back: `storage` in conf/executor."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from ctexp.executors import node
from ctexp.executors.errand import Errand, order
from ctexp.executors.protocol import Work
from ctexp.executors.ray.across import Across, Here
from ctexp.executors.ray.place import STORAGE
from ctexp.executors.storage import Url


class Way(Protocol):
    """There and back, for one time that a piece of work is begun.

    Attributes:
        work: what the node is to do.
        cargo: keys of what it needs for that and may lack.
    """

    work: Work
    cargo: Sequence[str]

    def send(self, actor: Any, lacking: Sequence[str]) -> None:
        """It has a place: send what is lacking there."""
        ...

    def bring(self) -> None:
        """Bring what was written there so far."""
        ...

    def end(self) -> None:
        """Bring the last of it.

        Raises:
            DataError: it cannot be had.
            StorageError: it cannot be written here.
        """
        ...


def ways(storage: str, root: Path) -> Callable[[Work], Way]:
    """What a setting says, for any number of pieces of work.

    Args:
        storage: `shared`, `copy` or a URL.
        root: the project's folder.

    Raises:
        PreflightError: there is no such kind of URL here.
    """
    if storage == "shared":
        return Shared
    if storage == "copy":
        here = Here()
        return lambda work: Copied(work, root, Across(here))
    place = Url(storage)
    return lambda work: Stored(work, order(work, root, place), storage)


class Shared:
    """Every node sees the project's folder.

    Args:
        work: to be done in it.
    """

    cargo: Sequence[str] = ()

    def __init__(self, work: Work) -> None:
        self.work = replace(work, environment={**work.environment, "CTEXP_ROOT": str(work.folder)})

    def send(self, actor: Any, lacking: Sequence[str]) -> None:
        """Nothing; see `Way`."""

    def bring(self) -> None:
        """Nothing; see `Way`."""

    def end(self) -> None:
        """Nothing; see `Way`."""


class Stored:
    """By way of a storage that both reach.

    Args:
        work: to be done.
        errand: the same, ordered in that storage.
        url: of the storage, as the node reaches it.
    """

    cargo: Sequence[str] = ()

    def __init__(self, work: Work, errand: Errand, url: str) -> None:
        self.work = replace(
            work, words=node.words_of(url, errand.name), folder=Path("/"), environment={}, needs=()
        )
        self._errand = errand

    def send(self, actor: Any, lacking: Sequence[str]) -> None:
        """Nothing; see `Way`."""

    def bring(self) -> None:
        """See `Way`."""
        self._errand.bring()

    def end(self) -> None:
        """See `Way`."""
        self._errand.end()


class Copied(Stored):
    """Through Ray itself.

    Args:
        work: to be done.
        root: the project's folder.
        across: its storage.
    """

    def __init__(self, work: Work, root: Path, across: Across) -> None:
        errand = order(work, root, across)
        super().__init__(work, errand, STORAGE)
        self.cargo = across.cargo(errand.name)
        self._across = across

    def send(self, actor: Any, lacking: Sequence[str]) -> None:
        """See `Way`."""
        self._across.actor = actor
        self._across.send(lacking)
