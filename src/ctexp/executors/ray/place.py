"""A place on a node of the cluster: an actor that has one piece of work done by a process of its own.

Ray ends that process with the actor, and the actor with whoever submitted the work.
"""

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ctexp.core import heartbeat
from ctexp.core.errors import PreflightError
from ctexp.executors import node
from ctexp.executors.local import Local
from ctexp.executors.protocol import Work
from ctexp.executors.ray.joining import NOT_OF_A_NODE
from ctexp.executors.settings import LocalSettings

STORAGE = "ctexp:storage"
"""A word of a program: the URL of what lies here of a storage; see `across.py`."""

_GPUS = "CUDA_VISIBLE_DEVICES"

_MOST_BYTES = 1 << 20
"""Told at a time."""


class Told(NamedTuple):
    """What became of the work since it was looked at before.

    Attributes:
        code: its exit code, or minus the signal that killed it, once all it printed is told.
        said: what it has printed since.
        moved: whether it has given a sign of life since.
    """

    code: int | None
    said: bytes
    moved: bool


class Place:
    """Has a piece of work done on the node that Ray has put it on."""

    def __init__(self) -> None:
        for name in NOT_OF_A_NODE:
            os.environ.pop(name, None)
        self._here = contextlib.ExitStack()
        folder = self._here.enter_context(node.scratch("places"))
        self._storage, self._log, self._beat = folder / "storage", folder / "log", folder / "beat"
        self._beat.touch()
        self._beaten = self._beat.stat().st_mtime_ns
        self._local = Local(LocalSettings(kind="local"))

    def lacks(self, keys: Sequence[str]) -> list[str]:
        """What has to be sent here of all that the work needs: data sets of others may be here."""
        return [key for key in keys if not node.has_set(key)]

    def keep(self, key: str, piece: bytes) -> None:
        """The next piece of what is sent here."""
        file = self._storage / key
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("ab") as kept:
            kept.write(piece)

    def kept(self, key: str, offset: int, most: int) -> bytes | None:
        """A piece of what lies here; None where there is nothing."""
        try:
            with (self._storage / key).open("rb") as file:
                file.seek(offset)
                return file.read(most)
        except FileNotFoundError:
            return None

    def begin(self, work: Work) -> Told:
        """Begin it; what it prints comes after the name of this node.

        Raises:
            PreflightError: its folder is not here.
        """
        here = os.uname().nodename
        if not work.folder.is_dir():
            raise PreflightError(
                f"{here}: no folder {work.folder}",
                "`storage: shared` needs it on every node; `storage: copy` does not",
            )
        self._log.write_text(f"on {here}\n")
        words = [self._storage.as_uri() if word == STORAGE else word for word in work.words[1:]]
        beat = {heartbeat.VARIABLE: str(self._beat)}
        self._under_way = self._local.submit(
            Work(
                name=work.name,
                words=[_of_here(work.words[0]), *words],
                folder=work.folder,
                log=self._log,
                environment=_passed(work) | beat,
            )
        )
        return self.look(0)._replace(moved=True)

    def look(self, seen: int) -> Told:
        """What is new.

        Args:
            seen: bytes of its output that are told already.
        """
        code, beaten = self._local.poll(self._under_way), self._beat.stat().st_mtime_ns
        with self._log.open("rb") as log:
            log.seek(seen)
            said = log.read(_MOST_BYTES)
        moved, self._beaten = beaten != self._beaten, beaten
        return Told(None if len(said) == _MOST_BYTES else code, said, moved)

    def ask(self) -> None:
        """Ask it to end."""
        self._under_way.process.terminate()

    def kill(self) -> None:
        """End it, and all that it has started."""
        self._local.cancel(self._under_way, 0.0)

    def leave(self) -> None:
        """Leave nothing here; it is all told."""
        self._here.close()


def _of_here(program: str) -> str:
    """`inv` and `python` are those that the node's Ray is installed beside."""
    return {"python": sys.executable, "inv": str(Path(sys.executable).with_name("inv"))}.get(program, program)


def _passed(work: Work) -> dict[str, str]:
    """Its variables but those of the other machine; which GPUs it has, Ray says: without a word, none."""
    gpus = {_GPUS: os.environ.get(_GPUS, "")}
    foreign = {*NOT_OF_A_NODE, _GPUS}
    return {name: value for name, value in work.environment.items() if name not in foreign} | gpus
