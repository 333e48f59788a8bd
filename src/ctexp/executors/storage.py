"""A place that machines without a common file system both reach: a folder, or an object store (fsspec).

Files go there under keys, each whole or not at all. A named set of files (`Sent`) is kept up to date by one
machine and followed by another (`Received`): its index is replaced last and names files by their content, so
that whoever reads it has all of them as they were at one moment, but for what logs have grown by meanwhile.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Protocol

from pydantic import Field

from ctexp.core import extras, files
from ctexp.core.errors import DataError, PreflightError, StorageError
from ctexp.record.documents import Document, Part, Sha256, Text

_TRIES = 5
"""Looks at files that are replaced meanwhile: by a sender, and by a receiver."""


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
            paths: relative to the folder, whose files may grow, be replaced or vanish meanwhile.
            gone: that whoever follows is to remove.

        Raises:
            StorageError: the place cannot be written, or files are replaced faster than they can be copied;
                the set stays as it was.
        """
        known = self._index.files
        with tempfile.TemporaryDirectory(prefix="ctexp-send-") as scratch:
            found = self._settled(list(paths), Path(scratch))
            for digest in {one.sha256 for one in found.values()} - {one.sha256 for one in known.values()}:
                self._place.put(f"{self._name}/{digest}", Path(scratch) / digest)
        index = Index(files=found, gone=tuple(gone))
        if index != self._index:
            put_bytes(self._place, f"{self._name}.json", index.model_dump_json().encode())
            still = {one.sha256 for one in found.values()}
            for old in {one.sha256 for one in known.values()} - still:
                self._place.drop(f"{self._name}/{old}")
            self._index = index
        return sum(known.get(path) != kept for path, kept in found.items())

    def _settled(self, paths: Sequence[str], scratch: Path) -> dict[str, Kept]:
        """What the files say at one moment: checkpoints and the list of their hashes must not be mixed."""
        found = self._index.files
        for _ in range(_TRIES):
            found = self._copied(paths, found, scratch)
            if all(_says_so_still(self._folder / path, kept) for path, kept in found.items()):
                return found
        raise StorageError(
            f"{self._folder}: files there are replaced faster than they can be copied to the storage",
            "see what writes there",
        )

    def _copied(self, paths: Sequence[str], known: dict[str, Kept], scratch: Path) -> dict[str, Kept]:
        """What each file says now; what is not known is copied, named by its content, since it may change."""
        found = {}
        for path in paths:
            file, copy = self._folder / path, scratch / "copy"
            try:
                status = file.stat()
                if (before := known.get(path)) and _is_here(file, before):
                    found[path] = before
                    continue
                with files.storage_errors(copy):
                    shutil.copyfile(file, copy)
            except FileNotFoundError:
                continue
            digest, size = files.sha256_file(copy), copy.stat().st_size
            copy.replace(scratch / digest)
            found[path] = Kept(
                sha256=digest, size=size, changed=status.st_mtime_ns, mode=status.st_mode & 0o777
            )
        return found


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
            with contextlib.suppress(_GoneError):
                new = self._brought(index)
                for path in {*index.gone, *(self._index.files.keys() - index.files.keys())}:
                    self._where(_checked(path)).unlink(missing_ok=True)
                self._index = index
                return new
        raise DataError(f"{self._name}: files of it are missing in the storage", "start again what wanted it")

    def _read(self) -> Index:
        with tempfile.TemporaryDirectory(prefix="ctexp-get-") as scratch:
            file = Path(scratch) / f"{PurePosixPath(self._name).name}.json"
            return Index.read(file) if self._place.get(f"{self._name}.json", file) else Index()

    def _brought(self, index: Index) -> list[str]:
        """The paths that were new; where one cannot be had no file has changed.

        All are fetched before any is replaced, just as all are copied before any is sent.

        Raises:
            _GoneError: a file is there no more: a newer index does not name it.
        """
        known, new = self._index.files, []
        with contextlib.ExitStack() as replaced:
            # Replaced in the order in which they were written, which the stack reverses: what says that a run
            # has ended comes last.
            for path, kept in sorted(index.files.items(), key=lambda item: item[1].changed, reverse=True):
                file = self._where(_checked(path))
                if known.get(path) == kept or _is_here(file, kept):
                    continue
                self._fetch(path, kept, replaced.enter_context(_with_mode(file, kept.mode)))
                new.append(path)
        return new[::-1]

    def _fetch(self, path: str, kept: Kept, file: Path) -> None:
        if not self._place.get(f"{self._name}/{kept.sha256}", file):
            raise _GoneError
        if files.sha256_file(file) != kept.sha256:
            raise DataError(f"{path}: what came from the storage is not what was sent", "try again")
        os.utime(file, ns=(kept.changed, kept.changed))


@contextlib.contextmanager
def _with_mode(path: Path, mode: int) -> Iterator[Path]:
    """A file that replaces another (`files.replacing`), for whom it says."""
    with files.replacing(path) as temporary:
        yield temporary
    path.chmod(mode)


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


def _says_so_still(file: Path, kept: Kept) -> bool:
    """Whether a file is as it was copied, or begins like that: logs grow all the time."""
    if _is_here(file, kept):
        return True
    try:
        with file.open("rb") as stream:
            return files.sha256_bytes(stream.read(kept.size)) == kept.sha256
    except OSError:
        return False


def first_line(error: BaseException) -> str:
    """What an error says, of which the rest is for whoever made what raised it."""
    return (str(error).splitlines() or [type(error).__name__])[0]
