"""The marks between which text is generated; all else on a page is people's.

    <!-- ctexp head -->
    …
    <!-- ctexp end sha256=… -->

A block's SHA-256 covers its first mark and its text; line ends do not count, since editors and git change
them. Marks are lines of their own; inside people's code blocks they are text.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

from ctexp.core import files

Kind = Literal["head", "entry", "sources"]

_BEGIN = re.compile(
    rb"<!-- ctexp (?:(?P<kind>head|sources)"
    rb"|entry (?P<number>[1-9][0-9]{0,8}) state=(?P<state>[0-9a-f]{12}) after=(?P<after>[0-9a-f]{12})) -->"
)
_END = re.compile(rb"<!-- ctexp end sha256=(?P<sha256>[0-9a-f]{64}) -->")
_LIKE_A_MARK = re.compile(rb"\s*<!--\s*ctexp\b", re.IGNORECASE)
_FENCE = re.compile(rb" {0,3}(?P<fence>`{3,}|~{3,})(?P<rest>.*)")


@dataclass(frozen=True)
class Block:
    """Generated text.

    Attributes:
        text: between the marks, without the blank lines beside them.
        sha256: what its end mark says.
        line: of its first mark, counted from 1; 0 for one that is new.
        raw: the bytes as they stand.
        number: of an entry, counted from 1.
        state: of an entry: what the results amounted to, so that the same is not told twice.
        after: of an entry: the beginning of the hash of the one before.
    """

    kind: Kind
    text: str
    sha256: str
    line: int
    raw: bytes
    number: int = 0
    state: str = ""
    after: str = ""

    @property
    def text_line(self) -> int:
        """The line its text begins on."""
        rest = self.raw.partition(b"\n")[2]
        blank = rest[: len(rest) - len(rest.lstrip())]
        return self.line + 1 + blank.count(b"\n")

    @property
    def whole(self) -> bool:
        """Whether it is as it was written."""
        first, _, rest = self.raw.replace(b"\r\n", b"\n").partition(b"\n")
        body = rest[: rest.rindex(b"<!-- ctexp end ")]
        return files.sha256_bytes(first + b"\n" + body) == self.sha256


def new_block(kind: Kind, text: str, line_end: bytes, first: str = "") -> Block:
    """Text between marks, ready to be put on a page."""
    begin = f"<!-- ctexp {first or kind} -->\n"
    body = f"{begin}\n{text.strip()}\n\n".encode()
    sha256 = files.sha256_bytes(body)
    raw = body + f"<!-- ctexp end sha256={sha256} -->\n".encode()
    return Block(kind, text.strip(), sha256, 0, raw.replace(b"\n", line_end))


def parts_of(content: bytes) -> tuple[list[bytes | Block], list[tuple[int, str]]]:
    """The parts, and what is wrong with the marks, by line."""
    parts: list[bytes | Block] = []
    problems: list[tuple[int, str]] = []
    prose: list[bytes] = []
    opened: list[bytes] = []  # lines of the block that is open
    fence, fenced_at, hidden = b"", 0, False
    begun: re.Match[bytes] | None = None
    begun_at = 0
    for number, raw in enumerate(BytesIO(content).readlines(), start=1):
        line = raw.rstrip(b"\r\n").rstrip(b" \t")
        begin, end = _BEGIN.fullmatch(line), _END.fullmatch(line)
        if begun is not None:
            opened.append(raw)
            if begin:
                problems.append(
                    (number, f"a mark inside the block of line {begun_at}, whose end mark is gone")
                )
                begun, begun_at, opened = begin, number, [raw]
            elif end:
                parts.append(_read(begun, end, opened, begun_at))
                begun = None
            continue
        if fence:
            hidden = hidden or bool(begin or end)
            if _closes(line, fence):
                fence, hidden = b"", False
        elif begin:
            if prose:
                parts.append(b"".join(prose))
                prose = []
            begun, begun_at, opened = begin, number, [raw]
            continue
        elif end:
            problems.append((number, "an end mark without its beginning"))
        elif _LIKE_A_MARK.match(line):
            problems.append((number, "a damaged mark"))
        elif opening := _opens(line):
            fence, fenced_at = opening, number
        prose.append(raw)
    if begun is not None:
        problems.append((begun_at, "a block whose end mark is gone"))
    if fence and hidden:
        problems.append((fenced_at, "a code block that nothing closes hides generated text"))
    if prose:
        parts.append(b"".join(prose))
    problems += _doubled(parts)
    return parts, problems


def _read(begin: re.Match[bytes], end: re.Match[bytes], lines: list[bytes], line: int) -> Block:
    text = b"".join(lines[1:-1]).replace(b"\r\n", b"\n").decode(errors="replace").strip()
    return Block(
        kind=begin["kind"].decode() if begin["kind"] else "entry",  # type: ignore[arg-type]
        text=text,
        sha256=end["sha256"].decode(),
        line=line,
        raw=b"".join(lines),
        number=int(begin["number"] or 0),
        state=(begin["state"] or b"").decode(),
        after=(begin["after"] or b"").decode(),
    )


def _doubled(parts: Sequence[bytes | Block]) -> Iterator[tuple[int, str]]:
    seen: set[str] = set()
    for block in parts:
        if isinstance(block, Block) and block.kind != "entry":
            if block.kind in seen:
                yield block.line, f"a second block of {block.kind}"
            seen.add(block.kind)


def _opens(line: bytes) -> bytes:
    """The fence that a line opens a code block with; empty where it opens none."""
    match = _FENCE.fullmatch(line)
    if match is None or (match["fence"][:1] == b"`" and b"`" in match["rest"]):
        return b""
    return match["fence"]


def _closes(line: bytes, fence: bytes) -> bool:
    match = _FENCE.fullmatch(line)
    return bool(match and not match["rest"].strip() and match["fence"].startswith(fence))
