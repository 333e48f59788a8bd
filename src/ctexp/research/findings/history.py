"""The history of a page: what is new is told once, in an entry that nobody changes afterwards.

Each line of an entry begins with what it is about, ``- `spread`: …``. It is new where the last that was told
about the same thing says something else. Failures on the way change nothing that counts, and are not told.
"""

from collections.abc import Iterator, Sequence

from ctexp.core import clock, files
from ctexp.research.findings.page import Page
from ctexp.research.findings.wording import unmarked

_ITEM = "- "


def news(page: Page, lines: Sequence[str]) -> list[str]:
    """The lines that its history does not tell yet; runs made again with equal results give none."""
    told: dict[str, str] = {}
    for entry in page.entries:
        items = (line for line in entry.text.splitlines() if line.startswith(_ITEM))
        told |= {_about(line): unmarked(line) for line in items}
    return [line for line in lines if told.get(_about(line)) != unmarked(line)]


def grown(page: Page, lines: Sequence[str]) -> Page:
    """The page with an entry of what is new; the same page where nothing is."""
    new = news(page, lines)
    if not new:
        return page
    number = page.entries[-1].number + 1 if page.entries else 1
    text = "\n".join([f"### {number}. {clock.now():%Y-%m-%d %H:%M} UTC", "", *new])
    return page.with_entry(text, state_of(text))


def state_of(entry: str) -> str:
    """What an entry amounts to."""
    said = entry.partition("\n")[2]
    return files.sha256_bytes(unmarked(f"### 0. \n{said}").encode())[:12]


def altered(page: Page) -> Iterator[tuple[int, str]]:
    """Generated text that is not as it was written, by its line."""
    for block in page.blocks:
        if not block.whole:
            yield block.line, f"the text of this {block.kind}, or its mark, was changed by hand"
        elif block.kind == "entry" and state_of(block.text) != block.state:
            yield block.line, "the text of this entry is not what its mark says it was"
    for entry, problem in page.broken_chain():
        yield entry.line, problem


def _about(line: str) -> str:
    return line.partition(": ")[0]
