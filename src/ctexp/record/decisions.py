"""Every decision about a candidate, in a committed file of lines: `research/decisions.jsonl`.

Lines are only ever added, under a lock, and the file is replaced as a whole: whatever happens it holds the
old lines or those and the new ones. A line that cannot be read is a line that somebody lost: then nothing is
added until it is put right.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from ctexp.core import files
from ctexp.core.errors import DataError
from ctexp.core.locks import FileLock
from ctexp.core.paths import shown
from ctexp.record.documents import Document, Part, Sha256, Text, UtcTime

Choice = Literal["promote", "iterate", "abandon"]
"""What to do with a candidate."""


class Gate(Part):
    """Something a new baseline must be, and what was seen of it."""

    name: str
    passed: bool
    evidence: Text


class PrimaryFigures(Part):
    """The metric that decides, without its split: both values, and how they differ.

    Attributes:
        difference: candidate less baseline.
        low: of its 95 % interval.
        high: of its 95 % interval.
        p_holm: corrected for all metrics of all candidates of the comparison.
    """

    metric: str
    baseline: float | None
    candidate: float | None
    difference: float | None
    low: float | None
    high: float | None
    p_holm: float | None
    verdict: str


class Decision(Document):
    """One line.

    Attributes:
        command: what asked, to copy and paste in the project's folder.
        split: of the images; `oof` for those of a cross-validation.
        images: how many they were.
        image_set: SHA-256 over the ids and contents of them.
        alpha: how often the whole verdict may call a difference where there is none.
        gates: each with its evidence, as it was then.
        reason: the user's, else what decided.
        commit: of the code that compared; null outside a repository.
        dirty: whether that code differed from it; null where nobody can tell.
    """

    time: UtcTime
    command: Text
    baseline: Text
    baseline_runs: tuple[Text, ...]
    candidate: Text
    candidate_runs: tuple[Text, ...]
    split: str
    images: int
    image_set: Sha256
    alpha: float
    decision: Choice
    primary: PrimaryFigures
    gates: tuple[Gate, ...]
    reason: Text
    commit: str | None = None
    dirty: bool | None = None


def read(path: Path) -> list[Decision]:
    """Every decision, oldest first; none where there is no file.

    Raises:
        DataError: lines cannot be read; each is named.
    """
    return _parsed(path, _content(path))


def append(path: Path, decisions: Sequence[Decision]) -> None:
    """Add lines, durably, all or none.

    Raises:
        DataError: the file is damaged; it stays as it is.
        Busy: another process is writing.
        StorageError: the disk is full or the folder cannot be written.
    """
    with FileLock(path.with_name(f".{path.stem}.lock"), "the list of decisions"):
        content = _content(path)
        _parsed(path, content)
        lines = "".join(f"{decision.model_dump_json()}\n" for decision in decisions)
        files.write_bytes(path, content + lines.encode())


def _content(path: Path) -> bytes:
    try:
        return files.read_regular(path)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})", "make it readable") from error


def _parsed(path: Path, content: bytes) -> list[Decision]:
    name = shown(path)
    *lines, rest = content.split(b"\n")
    found, problems = [], []
    for number, line in enumerate(lines, start=1):
        try:
            found.append(Decision.model_validate_json(line))
        except ValidationError:
            problems.append(f"{name}: line {number} is no decision")
    if rest:
        problems.append(f"{name}: line {len(lines) + 1} is cut off in its middle")
    if problems:
        raise DataError(
            problems,
            f"nothing was added; bring the last commit's back (git checkout -- {name}), or take those lines "
            "out by hand",
        )
    return found
