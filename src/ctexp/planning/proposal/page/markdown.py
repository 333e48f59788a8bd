"""Pieces of Markdown."""

import re
from collections.abc import Iterator, Mapping, Sequence

from ctexp.core.wording import joined

_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_WORD = re.compile(r"[a-z]+(?=[ ,;]|$)")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table and the empty line after it; nothing without rows."""
    if not rows:
        return
    yield _row(head)
    yield "|" + " --- |" * len(head)
    yield from map(_row, rows)
    yield ""


def bullets(items: Sequence[str]) -> Iterator[str]:
    """A list and the empty line after it; nothing without items."""
    if items:
        yield from (f"- {one_line(item)}" for item in items)
        yield ""


def code(lines: Sequence[str], language: str = "bash") -> Iterator[str]:
    """A block of code and the empty line after it."""
    yield f"```{language}"
    yield from lines
    yield "```"
    yield ""


def sentence(text: str) -> str:
    """With one full stop at its end, and a capital letter where it begins with a word and not with a name."""
    text = one_line(text).rstrip(".")
    if _WORD.match(text):
        text = text[0].upper() + text[1:]
    return f"{text}." if text else ""


def one_line(text: str) -> str:
    """Without line breaks, and without what a page would take for an HTML tag."""
    return _TAG.sub("&lt;", " ".join(text.split()))


def listed(names: Sequence[str]) -> str:
    """`a`, `b` and `c`, each as code."""
    return joined([f"`{name}`" for name in names])


def grouped(pairs: Sequence[tuple[str, str]]) -> Mapping[str, list[str]]:
    """The first of each pair by the second, in the order of the first that has it."""
    found: dict[str, list[str]] = {}
    for one, its in pairs:
        found.setdefault(its, []).append(one)
    return found


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(one_line(cell).replace("|", "\\|") for cell in cells) + " |"
