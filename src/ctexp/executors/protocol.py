"""What carries out a piece of work somewhere: this machine, a cluster, or rented machines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class Work:
    """A program to be run.

    Attributes:
        name: what to call it; a file's name.
        words: the program and its arguments. `inv` and `python` are those of the environment it runs in.
        folder: it is run in; the project's root, where that is elsewhere another copy of it.
        log: takes all it prints, as it comes; appended to.
        environment: what its environment has beyond this process's.
        descriptors: of this process's that it has too, where it runs on this machine.
        trains: it is `inv train`: begun again after its node was lost, it goes on with the run it had begun.
        gpu: it wants a GPU.
        needs: files and folders of the project that it reads and git does not know, data sets apart; they go
            along where it runs on another file system.
    """

    name: str
    words: Sequence[str]
    folder: Path
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    descriptors: Sequence[int] = ()
    trains: bool = False
    gpu: bool = False
    needs: Sequence[Path] = ()


@dataclass(frozen=True)
class Resources:
    """What there is to work with.

    Attributes:
        slots: how many trainings can run at once.
        said: the same in words, for people.
        threads: that each of them should compute on; None for as many as it likes.
    """

    slots: int
    said: str
    threads: int | None = None


class Executor(Protocol):
    """Runs work; every piece ends when whoever submitted it does, at the latest some minutes after.

    Handles of pieces of work are each executor's own. What a failed node has taken down is begun again
    elsewhere, as often as the executor's settings say; only then it has ended, as if killed.
    """

    def resources(self) -> Resources:
        """What there is to work with.

        Raises:
            PreflightError: it cannot be reached, or lacks what it needs.
        """
        ...

    def submit(self, work: Work) -> Any:
        """Begin a piece of work.

        Raises:
            CtexpError: it cannot be begun here.
        """
        ...

    def poll(self, handle: Any) -> int | None:
        """Its exit code, or minus the signal that killed it; None while it runs, or waits for its turn.

        Once its end is told, all that it wrote is here, wherever it ran.
        Of work that runs elsewhere, the signs of life (`core/heartbeat`) are given here as this process's
        own; where they cannot be had, its running is one, as is its waiting.
        """
        ...

    def cancel(self, handle: Any, grace: float) -> None:
        """Ask it to end, and end it where it has not after so many seconds; harmless when it has ended."""
        ...
