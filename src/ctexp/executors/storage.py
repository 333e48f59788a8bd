"""A place that machines without a common file system both reach: a folder, or an object store (fsspec).

Files go there under keys, each whole or not at all. A named set of files (`Sent`) is kept up to date by one
machine and followed by another (`Received`): its index is replaced last and names files by their content, so
that whoever reads it has all of them as they were at one moment.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import Protocol

from pydantic import Field

from ctexp.core import extras, files
from ctexp.core.errors import DataError, PreflightError, StorageError
from ctexp.record.documents import Document, Part, Sha256, Text

_TRIES = 5
"""Indexes that are looked at, each replaced while its files were fetched, before that is an error."""


class Place(Protocol):
    """Keeps files under keys (`work/t1/order.json`)."""

    def put(self, key: str, file: Path) -> None:
        """Keep what a file says now, in place of what was there.

        Raises:
            StorageError: it cannot be written there.
        """
        ...

    def get(self, key: str, file: Path) -> bool:
        """Write what is kept into a file; False where nothing is.

        Raises:
            DataError: it cannot be had.
        """
        ...

    def drop(self, key: str) -> None:
        """Forget a key, and all below it; harmless where there is none."""
        ...


class Url:
    """A folder or an object store, as fsspec knows it: `file:///net/ctexp`, `s3://bucket/folder`.

    Raises:
        PreflightError: a package for such a place is not installed, or there is no such kind of place.
    """

    def __init__(self, url: str) -> None:
        import fsspec
        from fsspec.implementations.local import LocalFileSystem

        self._url = url.rstrip("/")
        try:
            self._store, self._base = fsspec.core.url_to_fs(self._url)
        except (ImportError, ValueError) as error:
            kind = url.partition(":")[0]
            way = extras.install("s3") if kind == "s3" else f"install what fsspec needs for {kind}://"
            raise PreflightError(f"storage {url}: {error}", way) from error
        self._is_local = isinstance(self._store, LocalFileSystem)

    def put(self, key: str, file: Path) -> None:
        """Keep what a file says now; see `Place`."""
        if self._is_local:  # whose own way of writing leaves half a file after a kill
            with files.replacing(Path(self._at(key))) as temporary:
                shutil.copyfile(file, temporary)
            return
        try:
            self._store.put_file(str(file), self._at(key))
        except Exception as error:  # each store has its own
            raise StorageError(
                f"storage {self._url}: cannot write {key} ({first_line(error)})",
                "see that it can be written to",
            ) from error

    def get(self, key: str, file: Path) -> bool:
        """Write what is kept into a file; see `Place`."""
        try:
            self._store.get_file(self._at(key), str(file))
        except FileNotFoundError:
            return False
        except Exception as error:  # each store has its own
            raise DataError(
                f"storage {self._url}: cannot read {key} ({first_line(error)})", "see that it can be reached"
            ) from error
        return True

    def drop(self, key: str) -> None:
        """Forget a key, and all below it; see `Place`."""
        try:
            self._store.rm(self._at(key), recursive=True)
        except FileNotFoundError:
            return
        except Exception as error:  # each store has its own
            raise StorageError(
                f"storage {self._url}: cannot remove {key} ({first_line(error)})",
                "see that it can be written to",
            ) from error

    def _at(self, key: str) -> str:
        return f"{self._base}/{key}"


class Kept(Part):
    """A file of a set, as it was when it was sent."""

    sha256: Sha256
    size: int = Field(ge=0)
    changed: int = Field(ge=0, lt=2**63)
    mode: int = Field(ge=0, le=0o777)


class Index(Document):
    """The files of a set, by their paths, and those that were there before and are to be removed."""

    files: dict[Text, Kept] = Field(default_factory=dict)
    gone: tuple[Text, ...] = ()


class Sent:
    """Files of a folder, kept up to date under a name in a place; one machine alone does that."""

    def __init__(self, place: Place, name: str, folder: Path) -> None:
        self._place, self._name, self._folder = place, name, folder
        self._index = Index()

    def send(self, paths: Iterable[str], gone: Iterable[str] = ()) -> int:
        """Make these files the set; the number of those that had to be sent.

        Args:
            paths: relative to the folder, whose files may grow or vanish meanwhile.
            gone: that whoever follows is to remove.

        Raises:
            StorageError: the place cannot be written.
        """
        known, sent = self._index.files, 0
        found: dict[str, Kept] = {}
        for path in paths:
            file = self._folder / path
            before = known.get(path)
            try:
                status = file.stat()
                if before and (before.size, before.changed) == (status.st_size, status.st_mtime_ns):
                    found[path] = before
                    continue
                kept = self._put(file, status)
            except FileNotFoundError:
                continue
            found[path], sent = kept, sent + 1
        index = Index(files=found, gone=tuple(gone))
        if index != self._index:
            put_bytes(self._place, f"{self._name}.json", index.model_dump_json().encode())
            still = {one.sha256 for one in found.values()}
            for old in {one.sha256 for one in known.values()} - still:
                self._place.drop(f"{self._name}/{old}")
            self._index = index
        return sent

    def _put(self, file: Path, status: os.stat_result) -> Kept:
        """Send what a file says now: a copy of it, since the file itself may grow meanwhile."""
        with tempfile.TemporaryDirectory(prefix="ctexp-send-") as scratch:
            copy = Path(scratch) / "copy"
            shutil.copyfile(file, copy)
            digest = files.sha256_file(copy)
            if digest not in {one.sha256 for one in self._index.files.values()}:
                self._place.put(f"{self._name}/{digest}", copy)
        return Kept(
            sha256=digest, size=status.st_size, changed=status.st_mtime_ns, mode=status.st_mode & 0o777
        )


class _GoneError(Exception):
    """The place has a file no more."""


class Received:
    """The files of a set, brought here whenever they have changed.

    Args:
        place: keeps them.
        name: of the set.
        where: gives a path of the set its file here.
    """

    def __init__(self, place: Place, name: str, where: Callable[[str], Path]) -> None:
        self._place, self._name, self._where = place, name, where
        self._index = Index()

    def receive(self) -> list[str]:
        """Bring what has changed; the paths, in the order in which they were written there.

        Raises:
            DataError: a file cannot be had, or is not what was sent.
            StorageError: it cannot be written here.
        """
        for _ in range(_TRIES):
            index = self._read()
            if index == self._index:
                return []
            if (new := self._brought(index)) is not None:
                for path in {*index.gone, *(self._index.files.keys() - index.files.keys())}:
                    self._where(_checked(path)).unlink(missing_ok=True)
                self._index = index
                return new
        raise DataError(f"{self._name}: files of it are missing in the storage", "start again what wanted it")

    def _read(self) -> Index:
        with tempfile.TemporaryDirectory(prefix="ctexp-get-") as scratch:
            file = Path(scratch) / f"{PurePosixPath(self._name).name}.json"
            return Index.read(file) if self._place.get(f"{self._name}.json", file) else Index()

    def _brought(self, index: Index) -> list[str] | None:
        """The paths that were new; None where a file is there no more: a newer index does not name it."""
        known, new = self._index.files, []
        # In the order in which they were written: what says that a run has ended comes last.
        for path, kept in sorted(index.files.items(), key=lambda item: item[1].changed):
            file = self._where(_checked(path))
            if known.get(path) == kept or _is_here(file, kept):
                continue
            try:
                self._fetch(path, kept, file)
            except _GoneError:
                return None
            new.append(path)
        return new

    def _fetch(self, path: str, kept: Kept, file: Path) -> None:
        """Replace a file by what was sent; where that cannot be had the file stays as it was."""
        with files.replacing(file) as temporary:
            if not self._place.get(f"{self._name}/{kept.sha256}", temporary):
                raise _GoneError
            if files.sha256_file(temporary) != kept.sha256:
                raise DataError(f"{path}: what came from the storage is not what was sent", "try again")
            os.utime(temporary, ns=(kept.changed, kept.changed))
        file.chmod(kept.mode)


def put_bytes(place: Place, key: str, content: bytes) -> None:
    """Keep bytes under a key.

    Raises:
        StorageError: they cannot be written there.
    """
    with tempfile.TemporaryDirectory(prefix="ctexp-put-") as scratch:
        file = Path(scratch) / "content"
        file.write_bytes(content)
        place.put(key, file)


def get_bytes(place: Place, key: str) -> bytes | None:
    """What is kept under a key; None where nothing is.

    Raises:
        DataError: it cannot be had.
    """
    with tempfile.TemporaryDirectory(prefix="ctexp-get-") as scratch:
        file = Path(scratch) / "content"
        return file.read_bytes() if place.get(key, file) else None


def _checked(path: str) -> str:
    """A path of an index, which somebody else may have written.

    Raises:
        DataError: it leads out of the folder.
    """
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or not {"..", ".git"}.isdisjoint(parts) or "\0" in path:
        raise DataError(f"{path!r}: a path in the storage that leads elsewhere", "nothing was taken from it")
    return path


def _is_here(file: Path, kept: Kept) -> bool:
    try:
        status = file.stat()
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == (kept.size, kept.changed)


def first_line(error: BaseException) -> str:
    """What an error says, of which the rest is for whoever made what raised it."""
    return (str(error).splitlines() or [type(error).__name__])[0]
