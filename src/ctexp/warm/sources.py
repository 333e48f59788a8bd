"""Whether what a parent has imported is still what a fresh process would import."""

import os
import sys
from pathlib import Path

import ctexp

Stamp = frozenset[tuple[str, int, int, int]]


def stamp() -> Stamp:
    """Name, size, inode and time of every module of ctexp, and of what an installation touches.

    tasks.py and conf/ are not among them: a child reads these itself. It is empty, which no other is, where
    they are being replaced as they are looked at.
    """
    try:
        return _stamp()
    except FileNotFoundError:
        return frozenset()


def _stamp() -> Stamp:
    seen = [entry for folder in ctexp.__path__ for entry in _modules(folder)]
    site = Path(ctexp.__path__[0]).parent
    touched = [Path(sys.prefix), site, *(Path(folder) for folder in sys.path if folder.endswith("-packages"))]
    locks = [Path(sys.prefix) / name for name in ("requirements.lock", "requirements-dev.lock", "pyvenv.cfg")]
    return frozenset(
        (str(path), status.st_size, status.st_ino, status.st_mtime_ns)
        for path, status in [*seen, *((path, path.stat()) for path in [*touched, *locks] if path.exists())]
    )


def _modules(folder: str) -> list[tuple[str, os.stat_result]]:
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                found += [] if entry.name == "__pycache__" else _modules(entry.path)
            elif entry.name.endswith(".py"):
                found.append((entry.path, entry.stat()))
    return found
