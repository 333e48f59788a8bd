"""A page that a program and people write together.

There is at most one `head` and one `sources`, each replaced where it stands; `entry` blocks are only ever
added, each naming the one before by its hash. What people wrote is handled as bytes and comes out as it went
in, whatever its encoding and its line ends.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from ctexp.core.errors import DataError
from ctexp.research.findings.marks import Block, Kind, new_block, parts_of

_BOM = b"\xef\xbb\xbf"
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_FIRST = "0" * 12  # what the first entry comes after


@dataclass(frozen=True)
class Page:
    """A page in its parts.

    Attributes:
        where: what to call it in errors.
        bom: the byte order mark it begins with, if any.
        parts: in their order; bytes are people's.
    """

    where: str
    bom: bytes
    parts: tuple[bytes | Block, ...]

    @classmethod
    def parse(cls, content: bytes, where: str) -> "Page":
        """Tell generated text and people's apart.

        Raises:
            DataError: marks are damaged, doubled or hidden in a code block; every problem with its line.
        """
        if content.startswith(_WIDE):
            raise DataError(f"{where}:1: is UTF-16, whose marks cannot be read", "save it as UTF-8")
        text = content.removeprefix(_BOM)
        parts, problems = parts_of(text)
        if problems:
            raise DataError(
                [f"{where}:{line}: {problem}" for line, problem in problems],
                "put the marks back as they were, or delete a damaged block with both its marks",
            )
        return cls(where, content[: len(content) - len(text)], tuple(parts))

    @classmethod
    def new(cls, where: str, prose: str) -> "Page":
        """A page of its own: a head, some first words that are people's from now on, history, sources."""
        head, sources = (new_block(kind, "", b"\n") for kind in ("head", "sources"))
        return cls(where, b"", (head, prose.encode(), sources))

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All generated text."""
        return tuple(part for part in self.parts if isinstance(part, Block))

    @property
    def entries(self) -> tuple[Block, ...]:
        """The history, the oldest first."""
        return tuple(block for block in self.blocks if block.kind == "entry")

    def of(self, kind: Kind) -> Block | None:
        """The one block of a kind."""
        return next((block for block in self.blocks if block.kind == kind), None)

    def prose(self) -> Iterator[tuple[int, bytes]]:
        """What people wrote, piece by piece, each with the line it begins on."""
        line = 1
        for part in self.parts:
            raw = part.raw if isinstance(part, Block) else part
            if isinstance(part, bytes):
                yield line, part
            line += raw.count(b"\n")

    def content(self) -> bytes:
        """The whole file."""
        return self.bom + b"".join(part.raw if isinstance(part, Block) else part for part in self.parts)

    def with_block(self, kind: Literal["head", "sources"], text: str) -> "Page":
        """The same with this head, or these sources, in their place, or in a new one.

        Raises:
            DataError: somebody has written inside the block, which would be lost.
        """
        old = self.of(kind)
        if old is None:
            return self._inserted(new_block(kind, text, self._line_end()), self._place(kind))
        if not old.whole:
            raise DataError(
                f"{self.where}:{old.line}: generated text was changed by hand, and would be overwritten",
                "move what you wrote below the block's end mark, and delete the block with both its marks",
            )
        crlf = old.raw.partition(b"\n")[0].endswith(b"\r")
        new = new_block(kind, text, b"\r\n" if crlf else b"\n")
        return replace(self, parts=tuple(new if part is old else part for part in self.parts))

    def with_entry(self, text: str, state: str) -> "Page":
        """The same with one more entry of its history."""
        last = self.entries[-1] if self.entries else None
        after = last.sha256[:12] if last else _FIRST
        number = last.number + 1 if last else 1
        first = f"entry {number} state={state} after={after}"
        block = replace(
            new_block("entry", text, self._line_end(), first), number=number, state=state, after=after
        )
        return self._inserted(block, self._place("entry"))

    def broken_chain(self) -> Iterator[tuple[Block, str]]:
        """Entries that do not follow the one before them: something was taken out, put in or moved."""
        number, after = 1, _FIRST
        for entry in self.entries:
            if (entry.number, entry.after) != (number, after):
                yield entry, f"entry {entry.number} does not follow the one before it: history was changed"
            number, after = entry.number + 1, entry.sha256[:12]

    def _place(self, kind: Kind) -> int:
        """Before which part a new block goes; never behind people's last words: code may be open there."""
        kinds = [part.kind if isinstance(part, Block) else "" for part in self.parts]
        if kind == "entry" and "entry" not in kinds and "sources" in kinds:
            return kinds.index("sources")
        for before in ("entry", "head"):
            if kind != "head" and before in kinds:
                return len(kinds) - kinds[::-1].index(before)
        return 0

    def _inserted(self, block: Block, at: int) -> "Page":
        before, behind = list(self.parts[:at]), self.parts[at:]
        if before and isinstance(last := before[-1], Block) and not last.raw.endswith(b"\n"):
            before[-1] = replace(last, raw=last.raw + self._line_end())
        return replace(self, parts=(*before, block, *behind))

    def _line_end(self) -> bytes:
        content = self.content()
        return b"\r\n" if 2 * content.count(b"\r\n") > content.count(b"\n") else b"\n"
