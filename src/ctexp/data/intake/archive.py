"""Unpacking a zip from anywhere: everything is checked from the directory before a byte is written."""

import errno
import shutil
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from ctexp.core.errors import DataError
from ctexp.core.files import storage_errors

MAX_TOTAL_BYTES = 64 * 2**30
"""The largest sum of unpacked sizes; the Kaggle set has 125 MB."""

MAX_RATIO = 50
"""How many times its own size an archive may unpack to: images are compressed already, bombs are not."""

_LONGEST_NAME, _LONGEST_PART = 1000, 255
_SMALL = 16 * 2**20  # below this the ratio says nothing

# What zipfile raises for damaged input.
_DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, NotImplementedError)

_WAY_OUT = "unpack it yourself, look at what is inside, and import the folder"


def unpack(archive: Path, folder: Path, progress: Callable[[int, int], None] | None = None) -> None:
    """Unpack a zip's regular files into `folder`, which is made.

    On an error what was unpacked stays in `folder`, for the caller to remove.

    Raises:
        DataError: the archive is damaged, encrypted, too large when unpacked, or holds entries that are
            links, special files or would land outside `folder`; all such entries are listed.
        StorageError: the disk is full or the folder cannot be written.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = opened.infolist()
            problems = _problems(entries, archive.stat().st_size)
            if problems:
                raise DataError([f"{archive.name}: {problem}" for problem in problems], _WAY_OUT)
            folder.mkdir(parents=True)
            for done, entry in enumerate(entries, 1):
                _write(opened, entry, folder / entry.filename, archive.name)
                if progress:
                    progress(done, len(entries))
    except _DAMAGED as error:
        raise DataError(f"{archive}: not a sound zip file ({error})", "fetch it again") from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # a seek to where no damaged directory should have sent it
            raise
        raise DataError(f"{archive}: not a sound zip file ({error})", "fetch it again") from error


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, name: str) -> None:
    with storage_errors(target):
        try:
            if entry.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                return
            target.parent.mkdir(parents=True, exist_ok=True)
            # zipfile gives no more than the size declared, and checks the CRC at its end.
            with archive.open(entry) as packed, target.open("xb") as file:
                shutil.copyfileobj(packed, file)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise DataError(f"{name}: {entry.filename!r} is both a file and a folder", _WAY_OUT) from error


def _problems(entries: Sequence[zipfile.ZipInfo], packed_bytes: int) -> list[str]:
    names = Counter(entry.filename for entry in entries)
    problems = [f"{name!r} is in it {count} times" for name, count in names.items() if count > 1]
    for entry in entries:
        why = _objection(entry)
        if why:
            problems.append(f"{entry.orig_filename!r} {why}")
    total = sum(entry.file_size for entry in entries)
    if total > MAX_TOTAL_BYTES:
        problems.append(f"unpacks to {total:,} bytes; at most {MAX_TOTAL_BYTES:,} are allowed")
    if total > _SMALL and total > MAX_RATIO * packed_bytes:
        problems.append(f"unpacks to {total // packed_bytes} times its size; at most {MAX_RATIO} is allowed")
    return problems


def _objection(entry: zipfile.ZipInfo) -> str:
    """Why an entry may not be unpacked; empty when it may."""
    # The name as stored: zipfile itself cuts it at a NUL.
    name = entry.orig_filename
    path = PurePosixPath(name)
    if "\0" in name or not path.parts:
        return "is not a file name"
    if path.is_absolute() or ".." in path.parts or name[1:2] == ":":
        return "would land outside the folder"
    if "\\" in name:
        return "has backslashes in its name"
    if len(name) > _LONGEST_NAME or any(len(part.encode()) > _LONGEST_PART for part in path.parts):
        return "has too long a name"
    if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        return f"is compressed by method {entry.compress_type}, which is not read"
    if entry.flag_bits & 1:
        return "is encrypted"
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        return "is a symbolic link" if kind == stat.S_IFLNK else "is a special file"
    return ""
