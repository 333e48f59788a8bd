"""Files that are old or new after any crash, never neither."""

import errno
import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ctexp.core.errors import DataError, PreflightError, StorageError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_UNWRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS}
_IN_THE_WAY = {errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENXIO}


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn a full or read-only disk, or one thing in another's place, into a `StorageError` (exit 5)."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageError(
                f"{path.parent}: no space left while writing {path.name}",
                "free some space there, then start again or resume",
            ) from error
        if error.errno in _UNWRITABLE:
            raise StorageError(
                f"{path.parent}: cannot write {path.name} ({error.strerror})",
                "make the folder writable, or set paths.runs / paths.data to one that is",
            ) from error
        if error.errno in _IN_THE_WAY:
            raise StorageError(
                f"{path}: a file is in the way, or a folder ({error.strerror})",
                "move it away, or set paths.runs / paths.data to another folder",
            ) from error
        raise


def disk_full(error: BaseException) -> StorageError | None:
    """The `StorageError` that a full disk amounts to, wherever it was met; None for every other error."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return StorageError(
            f"{error.filename or 'a disk'}: no space left ({error.strerror})",
            "free some space there, then start again or resume",
        )
    return None


def fsync_directory(directory: Path) -> None:
    """Make a rename in `directory` survive a power loss."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it.

    Raises:
        StorageError: a file is in the way, or the place cannot be written.
    """
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a sibling temporary path to write; on success it is synced and renamed onto `path`.

    The temporary file lives in the same folder, so that the rename never crosses a filesystem. On any
    exception it is removed and `path` is as it was.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    with storage_errors(path):
        make_folder(path.parent)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        os.close(descriptor)
        temporary = Path(name)
        try:
            yield temporary
            # mkstemp makes private files; a record is meant to be shared like any other file.
            temporary.chmod(0o666 & ~_umask())
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
            temporary.replace(path)
            fsync_directory(path.parent)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def _umask() -> int:
    """The process's umask; reading it means setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def temporaries(folder: Path) -> Iterator[Path]:
    """What writers that are at work, or were killed, have in a folder and below."""
    return folder.rglob(".*.tmp")


def sweep_temporaries(folder: Path) -> None:
    """Remove what killed writers left in a folder and below; nobody else may be writing there now."""
    for leftover in temporaries(folder):
        leftover.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Replace `path` by `content` atomically and durably."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Replace `path` by UTF-8 `content` atomically and durably."""
    write_bytes(path, content.encode())


def write_json(path: Path, document: Any) -> None:
    """Replace `path` by `document` as readable JSON; NaN and infinity are refused, since JSON has none."""
    write_text(path, json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_regular(path: Path, most: int | None = None) -> bytes:
    """A file's bytes, but never a pipe's that nobody writes to, or a device's without an end.

    Args:
        path: the file.
        most: bytes that are read at the most; None for as many as there are.

    Raises:
        OSError: it is missing, no regular file, larger, or cannot be read.
    """
    about = path.stat()
    if not stat.S_ISREG(about.st_mode) and not stat.S_ISDIR(about.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    if most is not None and about.st_size > most:
        raise OSError(errno.EINVAL, f"{about.st_size:,} bytes; at most {most:,} are read", str(path))
    return path.read_bytes()


def read_json(path: Path) -> Any:
    """Parse a JSON file.

    Raises:
        DataError: the file is missing, unreadable or not JSON; the line says which.
    """
    try:
        return json.loads(read_regular(path))
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file") from error
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: cannot be read as JSON ({error})") from error


def append_line(path: Path, line: str) -> None:
    """Append one line with a single write, so that concurrent readers never see half of it.

    Raises:
        StorageError: the disk is full or the file cannot be written.
    """
    content = line.encode() + b"\n"
    with storage_errors(path), path.open("ab", buffering=0) as file:
        # A disk that fills up takes the part that fits and reports success; only the next write fails.
        while content:
            content = content[file.write(content) :]


def sha256_bytes(content: bytes) -> str:
    """The SHA-256 of `content`, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def sha256_file(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def probe_writable(directory: Path) -> None:
    """Prove that a file can be made in `directory` now rather than fail an hour later.

    Raises:
        PreflightError: it cannot.
    """
    try:
        with storage_errors(directory / "a new file"):
            make_folder(directory)
            with tempfile.TemporaryFile(dir=directory) as probe:
                probe.write(b"x")
    except StorageError as error:
        raise PreflightError(error.problems, error.hint) from error
