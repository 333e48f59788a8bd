"""What a handler saves: small files that join the results of its experiment when it has ended.

Until then they lie apart: an earlier answer keeps its own, however this one ends.
"""

import json
import re
from pathlib import Path
from typing import Any

from ctexp.core import files
from ctexp.core.errors import UsageError
from ctexp.research.record import ARTIFACT, Artifact
from ctexp.research.runner.values import Warn, document

FILE_BYTES = 10 * 1024 * 1024
"""What one artifact may take: artifacts are committed."""

ALL_BYTES = 50 * 1024 * 1024
"""What those of one handler may take together."""

_NAME = re.compile(ARTIFACT)
_INSTEAD = "save less, or write large files below runs/ yourself"


class Results:
    """The artifacts of a handler."""

    def __init__(self, folder: Path, place: Path, warn: Warn) -> None:
        self._folder = folder
        self._place = place
        self._warn = warn
        self._saved: dict[str, Artifact] = {}

    @property
    def saved(self) -> tuple[Artifact, ...]:
        """What was saved, in this order."""
        return tuple(self._saved.values())

    def save_artifact(self, name: str, content: bytes | str) -> Path:
        """Save a file, or replace the one of that name; where it lies while the handler is at work.

        Args:
            name: of the file, without a folder: letters, digits, `_`, `-` and `.`.
            content: its bytes; text is kept as UTF-8.

        Raises:
            UsageError: the name is none, or there is too much.
            StorageError: the disk is full or the folder cannot be written.
        """
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise UsageError(
                f"artifact {name!r}: no name for a file here",
                "use letters, digits, '_', '-' and '.', at most 100, without a folder",
            )
        if isinstance(content, str):
            content = content.encode()
        if not isinstance(content, bytes | bytearray | memoryview):
            raise UsageError(
                f"artifact {name}: bytes are expected, got {type(content).__qualname__}",
                "save_json_artifact saves numbers, lists and mappings",
            )
        content = bytes(content)
        self._refuse_large(name, len(content))
        path = self._folder / name
        files.write_bytes(path, content)
        self._saved[name] = Artifact(
            name=name,
            file=(self._place / name).as_posix(),
            sha256=files.sha256_bytes(content),
            bytes=len(content),
        )
        return path

    def save_json_artifact(self, name: str, value: Any) -> Path:
        """Save a value as JSON; `.json` is added to the name where it lacks it.

        Arrays and tensors become lists, NaN and infinity null.

        Raises:
            UsageError: JSON cannot hold it, or as above.
        """
        plain = document(value, name, self._warn)
        text = json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False)
        return self.save_artifact(name if str(name).endswith(".json") else f"{name}.json", f"{text}\n")

    def _refuse_large(self, name: str, size: int) -> None:
        if size > FILE_BYTES:
            raise UsageError(
                f"artifact {name}: {_megabytes(size)}, and one may take {_megabytes(FILE_BYTES)}", _INSTEAD
            )
        together = size + sum(one.bytes for one in self._saved.values() if one.name != name)
        if together > ALL_BYTES:
            raise UsageError(
                f"artifact {name}: with it the handler has saved {_megabytes(together)}, "
                f"and all of one may take {_megabytes(ALL_BYTES)}",
                _INSTEAD,
            )


def _megabytes(size: int) -> str:
    return f"{size / 1024 / 1024:.1f} MB"
