"""What imports make that belongs to one process alone: the parent notes it, each child has its own.

Modules make temporary folders as they are imported, and remove them as their process ends: the first child
to end would take them from all others. Generators of random numbers that chance has seeded would draw the
same in all children; a fork seeds Python's own and W&B's anew, and no others.
"""

import atexit
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

_folders: list[tuple[tempfile.TemporaryDirectory[str], tuple[Any, ...], dict[str, Any]]] = []
_drawn: dict[int, random.Random] = {}

_make, _seed = tempfile.TemporaryDirectory.__init__, random.Random.seed


@contextmanager
def noted() -> Iterator[None]:
    """Note what the imports within make; the parent needs no folders, and keeps none."""

    def make(folder: tempfile.TemporaryDirectory[str], *words: Any, **named: Any) -> None:
        _make(folder, *words, **named)
        _folders.append((folder, words, named))

    def seed(draws: random.Random, a: Any = None, version: int = 2) -> None:
        _seed(draws, a, version)
        if a is None:
            _drawn[id(draws)] = draws
        else:
            _drawn.pop(id(draws), None)

    _patch(make, seed)
    try:
        yield
    finally:
        _patch(_make, _seed)
    _folders[:] = [made for made in _folders if Path(made[0].name).exists()]
    for folder, *_ in _folders:
        folder.cleanup()


def _patch(make: Any, seed: Any) -> None:
    tempfile.TemporaryDirectory.__init__ = make  # type: ignore[method-assign]
    random.Random.seed = seed  # type: ignore[method-assign]


def renew() -> None:
    """Make it all anew, in a child, where its environment has temporary folders made."""
    tempfile.tempdir = None
    for folder, words, named in _folders:
        with suppress(OSError):  # it is missed by those who use it, as it would be in a fresh process
            _make(folder, *words, **named)
    for draws in _drawn.values():
        draws.seed()
    sys.modules["numpy"].random.seed()
    # Where there is no home, matplotlib makes itself one: that is the parent's, and goes with it.
    atexit.unregister(shutil.rmtree)
