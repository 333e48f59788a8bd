"""A storage that lies in two folders, one here and one on a node; Ray carries what the other lacks."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ctexp.core import files, heartbeat
from ctexp.core.errors import DataError
from ctexp.executors.storage import Url

_PIECE_BYTES = 4 << 20
"""Carried at a time: short of what Ray would keep for others."""

_ANSWER_SECONDS = 60.0


class Across:
    """A `Place`: what is put is put here, what the node has written is had from there.

    Args:
        here: the folder here, which lasts as long as this; data sets in it go to any number of nodes.

    Attributes:
        actor: Ray's handle of the place on the node; None until there is one.
    """

    def __init__(self, here: "tempfile.TemporaryDirectory[str]") -> None:
        self.actor: Any = None
        self._here, self._folder = here, Path(here.name)
        self._kept = Url(self._folder.as_uri())

    def put(self, key: str, file: Path) -> None:
        """Keep it here; see `Place`."""
        self._kept.put(key, file)

    def get(self, key: str, file: Path) -> bool:
        """Have it from here, or else from there; see `Place`."""
        if self._kept.get(key, file):
            return True
        file.unlink(missing_ok=True)
        return self.actor is not None and self._fetch(key, file)

    def drop(self, key: str) -> None:
        """Forget it here; what is there goes with the actor. See `Place`."""
        self._kept.drop(key)

    def cargo(self, name: str) -> list[str]:
        """Keys of all that a node needs for an errand."""
        found = (path for top in (f"work/{name}", "data") for path in (self._folder / top).rglob("*"))
        needed = (path for path in found if path.is_file() and path.suffix != ".sent")
        return sorted(path.relative_to(self._folder).as_posix() for path in needed)

    def send(self, keys: Sequence[str]) -> None:
        """Carry them to the node."""
        for key in keys:
            with (self._folder / key).open("rb") as file:
                while True:
                    piece = file.read(_PIECE_BYTES)
                    _answer(self.actor.keep.remote(key, piece))
                    heartbeat.beat()
                    if len(piece) < _PIECE_BYTES:
                        break

    def _fetch(self, key: str, file: Path) -> bool:
        import ray

        file.write_bytes(b"")
        while True:
            try:
                piece = _answer(self.actor.kept.remote(key, file.stat().st_size, _PIECE_BYTES))
            except ray.exceptions.RayError as error:
                raise DataError(f"{key}: its node does not answer", "see `.venv/bin/ray status`") from error
            if piece is None:
                file.unlink()
                return False
            heartbeat.beat()
            with files.storage_errors(file), file.open("ab") as copy:
                copy.write(piece)
            if len(piece) < _PIECE_BYTES:
                return True


def _answer(promised: Any) -> Any:
    import ray

    return ray.get(promised, timeout=_ANSWER_SECONDS)
