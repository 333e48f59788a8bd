"""`research/LOG.md`: every night of the project, the newest last, among whatever people write there."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ctexp.core import files
from ctexp.core.errors import Busy, DataError
from ctexp.core.locks import FileLock

FILE = Path("research") / "LOG.md"

_HEAD = """# Log

Every night's summary, the newest last. What stands between the marks of a night is written by ctexp, and
replaced when its queue goes on; what stands elsewhere is yours.
"""
_PATIENCE = 10.0  # seconds that another queue may take to write its own


def write(root: Path, queue: str, page: str) -> Path:
    """Put a night's page at the end of the log, instead of what stood there of the same queue.

    Args:
        root: the project's folder.
        queue: its id.
        page: Markdown.

    Raises:
        Busy: another queue is writing, and does not end.
        DataError: the log cannot be read.
        StorageError: it cannot be written.
    """
    path = root / FILE
    with _alone(path):
        begin, end = (f"<!-- {what} of {queue} -->".encode() for what in ("begin", "end"))
        # Bytes: what people have written is kept as it is, whatever its encoding.
        # From a mark whose end somebody has removed nothing reaches into what comes after it.
        inner = rb"(?:(?!<!-- begin of ).)*?"
        earlier = re.escape(begin) + rb"\r?\n" + inner + re.escape(end) + rb"(\r?\n)*"
        others = re.sub(earlier, b"", _read(path), flags=re.DOTALL)
        others = others.rstrip() or _HEAD.rstrip().encode()
        # A page begins with a heading of its own: here it is one night of many.
        lowered = re.sub(r"^(#+ )", r"#\1", page, flags=re.MULTILINE)
        block = b"\n".join((begin, b"", lowered.encode(), end, b""))
        files.write_bytes(path.resolve(), others + b"\n\n" + block)
    return path


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the lock of the log, which others hold for an instant."""
    lock = FileLock(path.with_name(f".{path.stem}.lock"), "the log")
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            lock.acquire()
        except Busy:
            if time.monotonic() > deadline:
                raise
        else:
            break
    try:
        yield
    finally:
        lock.release()


def _read(path: Path) -> bytes:
    try:
        return files.read_regular(path)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
