"""What carries out a piece of work somewhere: this machine, and whatever else learns to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar


@dataclass(frozen=True)
class Work:
    """A program to be run.

    Attributes:
        name: what to call it; a file's name.
        words: the program and its arguments.
        folder: it is run in.
        log: takes all it prints; appended to.
        environment: what its environment has beyond this process's.
        descriptors: of this process's that it has too, where it runs on this machine.
    """

    name: str
    words: Sequence[str]
    folder: Path
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    descriptors: Sequence[int] = ()


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


class Handle(Protocol):
    """A piece of work under way."""

    @property
    def work(self) -> Work:
        """What it is."""
        ...


H = TypeVar("H", bound=Handle)
"""What an executor knows its pieces of work by."""


class Executor(Protocol[H]):
    """Runs work; every piece ends when whoever submitted it does."""

    def resources(self) -> Resources:
        """What there is to work with."""
        ...

    def submit(self, work: Work) -> H:
        """Begin a piece of work.

        Raises:
            CtexpError: it cannot be begun here.
        """
        ...

    def poll(self, handle: H) -> int | None:
        """Its exit code, or minus the signal that killed it; None while it runs."""
        ...

    def cancel(self, handle: H, grace: float) -> None:
        """Ask it to end, and end it where it has not after so many seconds; harmless when it has ended."""
        ...

    def fetch(self, handle: H) -> None:
        """Bring what it wrote to this machine, where that is elsewhere."""
        ...
