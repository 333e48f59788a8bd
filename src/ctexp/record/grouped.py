"""Folders below the runs that hold several of them together, sweeps and cross-validations: named alike."""

from collections.abc import Callable, Sequence
from pathlib import Path

from ctexp.core import clock, files, names
from ctexp.core.errors import DataError, UsageError
from ctexp.record.run_dir import RUN_ID

_SHOWN = 10

Meant = Callable[[Sequence[str], str], list[str]]
"""Which of some ids, oldest first, a word means."""


def make(folder: Path, name: str, inside: str) -> Path:
    """Make a new one, named like a run, with an empty folder in it.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    path = folder / f"{name}_{clock.stamp(clock.now())}_{names.short_id()}"
    files.make_folder(path / inside)
    return path


def ids(folder: Path) -> list[str]:
    """All ids, oldest first."""
    found = (path.name for path in folder.glob("*") if RUN_ID.fullmatch(path.name) and path.is_dir())
    return sorted(found, key=lambda one: one.rsplit("_", 2)[1:])


def name_of(one: str) -> str:
    """The name in an id."""
    return one.rsplit("_", 2)[0]


def begun(known: Sequence[str], word: str) -> list[str]:
    """Those that an id, the beginning of one, or `latest` means."""
    if word == "latest":
        return list(known[-1:])
    return [word] if word in known else [one for one in known if word and one.startswith(word)]


def find(folder: Path, word: str, make_one: str, meant: Meant = begun) -> Path:
    """The only one that a word means.

    Args:
        folder: where they lie; its name says what they are.
        word: as typed.
        make_one: the command that makes one.
        meant: which ones a word means.

    Raises:
        UsageError: several are meant.
        DataError: none is.
    """
    known, what = ids(folder), folder.name
    if not known:
        raise DataError(f"{folder}: no {what} yet", f"make one: {make_one}")
    found = meant(known, word)
    if len(found) > 1:
        listed = ", ".join(found[-_SHOWN:])
        raise UsageError(f"{word!r} means {len(found)} {what}: {listed}", "type more of the one you mean")
    if not found:
        near = names.did_you_mean(word, [*known, *map(name_of, known), "latest"])
        raise DataError(f"no {what.removesuffix('s')} {word!r}", near)
    return folder / found[0]
