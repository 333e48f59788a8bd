"""What every JSON document of a record has in common: strict fields, a version, one way to read and write."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ctexp.core import files
from ctexp.core.errors import DataError

SCHEMA_VERSION: Final = 1
"""The version of all documents of a run directory together; it rises when a field of any of them changes."""


def printable(text: str) -> str:
    r"""Text as JSON can hold it: a byte of a file name that is no UTF-8 becomes a visible `\udcff`."""
    return text.encode("utf-8", "backslashreplace").decode()


def _text(value: Any) -> Any:
    return printable(value) if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_text)]
"""Text from outside (arguments, file names, messages), which may hold bytes that are no UTF-8."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 in hexadecimal."""


def _of_the_calendar(moment: str) -> str:
    datetime.fromisoformat(moment)
    return moment


UtcTime = Annotated[
    str,
    Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"),
    AfterValidator(_of_the_calendar),
]
"""A moment as `clock.iso` writes it."""

Scalar = bool | int | float | Text | None
"""A value of one cell."""


class Part(BaseModel):
    """A piece of a document: no unknown fields, no silent conversions, no NaN, never changed in place."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Document(Part):
    """A file of its own, which says the version of its fields."""

    schema_version: Literal[1] = 1

    def document(self) -> dict[str, Any]:
        """Plain JSON values."""
        return self.model_dump(mode="json")

    def write(self, path: Path) -> None:
        """Replace `path` atomically and durably.

        Raises:
            StorageError: the disk is full or the folder cannot be written.
        """
        files.write_json(path, self.document())

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a document back.

        Raises:
            DataError: it is missing, damaged, or of a newer version than this program knows.
        """
        try:
            content = files.read_regular(path)
        except FileNotFoundError as error:
            raise DataError(f"{path}: no such file") from error
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror})") from error
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            version = _version(content)
            if version is not None and version > SCHEMA_VERSION:
                raise DataError(
                    f"{path}: written by a newer ctexp (version {version} of the record, "
                    f"this program reads up to {SCHEMA_VERSION})",
                    "update ctexp to read it",
                ) from error
            raise DataError([f"{path}: {problem}" for problem in _problems(error)]) from error


def is_newer(path: Path) -> bool:
    """Whether `path` is a whole document of a version that this program does not know yet."""
    try:
        version = _version(files.read_regular(path))
    except OSError:
        return False
    return version is not None and version > SCHEMA_VERSION


def _version(content: bytes) -> int | None:
    """The version a document says to have; None where it says none."""
    try:
        version = json.loads(content).get("schema_version")
    except (ValueError, AttributeError, RecursionError):
        return None
    return version if isinstance(version, int) else None


def _problems(error: ValidationError) -> list[str]:
    """One line a problem, with the field it is about."""
    return [
        f"{'.'.join(str(step) for step in problem['loc'])}: {problem['msg']}".removeprefix(": ")
        for problem in error.errors(include_url=False, include_input=False)
    ]
