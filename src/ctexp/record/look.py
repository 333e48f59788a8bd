"""One look at a test split, as a line of the ledger, and how lines are read back.

Each line names the one before by its hash, so that none can be changed or taken out of the middle unseen.
Where two branches were merged, the lines of both stand one after the other; then two lines may name the same
one before.
"""

import json
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field, ValidationError

from ctexp.core import files
from ctexp.core.errors import DataError
from ctexp.core.paths import shown
from ctexp.record.documents import Part, Sha256, Text, UtcTime

Kind = Literal["evaluate", "compare", "errors", "cross-validation"]
"""What looked: a verb, or a cross-validation whose folds hold official test images."""


class Look(Part):
    """One line.

    Attributes:
        seq: one more than that of the line before.
        dataset: the data set's name.
        catalog_sha256: of its catalog: looks are counted by both.
        split_sha256: of the splits that say which images are the test; none in records without.
        subjects: ids of the runs, or of the cross-validation.
        images: how many test images were looked at.
        previous: the sha256 of the line before as it stood when this one was written; null for the first.
        sha256: of this line; it is not in it.
    """

    seq: int = Field(ge=1)
    time: UtcTime
    kind: Kind
    dataset: Text
    catalog_sha256: Sha256
    split_sha256: tuple[Sha256, ...]
    subjects: tuple[Text, ...]
    images: int = Field(ge=0)
    previous: Sha256 | None = None
    sha256: str = Field(default="", exclude=True)

    def after(self, last: "Look | None") -> tuple["Look", str]:
        """The same as the next line after another, and that line."""
        follows = {} if last is None else {"seq": last.seq + 1, "previous": last.sha256}
        look = self.model_copy(update=follows)
        line = look.model_dump_json()
        return look.model_copy(update={"sha256": files.sha256_bytes(line.encode())}), line

    @property
    def named(self) -> dict[str, Any]:
        """How figures name the look that they come from."""
        return {"seq": self.seq, "sha256": self.sha256}


class Named(NamedTuple):
    """How figures name the look they come from, as far as that can be read."""

    seq: int | None
    sha256: str | None


class Content(NamedTuple):
    """What a ledger's file holds.

    Attributes:
        looks: the readable lines.
        problems: one line for each that cannot be read or does not follow from an earlier one.
        torn: what a crash left of a last line; empty where it is whole.
        whole: how many bytes come before that.
        ended: whether those end with the end of a line.
    """

    looks: list[Look]
    problems: list[str]
    torn: bytes
    whole: int
    ended: bool


def read(path: Path) -> Content:
    """Read a ledger; a missing one holds nothing.

    Raises:
        DataError: it cannot be read at all.
    """
    try:
        content = files.read_regular(path)
    except FileNotFoundError:
        return Content([], [], b"", 0, True)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    *lines, rest = content.split(b"\n")
    ended = not rest
    if parsed(rest) is not None:  # all but the end of the line was written
        lines, rest = [*lines, rest], b""
    looks: list[Look] = []
    problems: list[str] = []
    seqs: dict[str | None, int] = {None: 0}
    for number, line in enumerate(lines, start=1):
        look = parsed(line)
        if look is None:
            problems.append(f"{shown(path)}: line {number} cannot be read")
            continue
        if seqs.get(look.previous) != look.seq - 1:
            problems.append(
                f"{shown(path)}: line {number} does not follow: one before it was changed or is gone"
            )
        seqs[look.sha256] = look.seq
        looks.append(look)
    return Content(looks, problems, rest, len(content) - len(rest), ended or bool(rest))


def parsed(line: bytes) -> Look | None:
    """The look that a line is; None where it is none."""
    try:
        look = Look.model_validate_json(line)
    except ValidationError:
        return None
    return look.model_copy(update={"sha256": files.sha256_bytes(line.rstrip(b"\r"))})


def named_in(metrics: Path) -> list[Named]:
    """The looks that the figures of a run or a cross-validation come from; none of a damaged document.

    Args:
        metrics: its `metrics.json`, which need not be there.

    Raises:
        OSError: it is there and cannot be read.
    """
    try:
        content = files.read_regular(metrics)
    except (FileNotFoundError, NotADirectoryError):
        return []
    if b'"look"' not in content:  # most have none, and there may be thousands
        return []
    try:
        looks = [summary.get("look") for summary in json.loads(content)["splits"].values()]
        return [_named(look) for look in looks if look]
    except (KeyError, AttributeError, TypeError, ValueError, RecursionError):
        return []  # whoever shows that run tells of its damage


def _named(look: dict[str, Any]) -> Named:
    seq, sha256 = look.get("seq"), look.get("sha256")
    return Named(seq if isinstance(seq, int) else None, sha256 if isinstance(sha256, str) else None)
