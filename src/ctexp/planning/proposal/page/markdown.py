"""Pieces of Markdown."""

from collections.abc import Iterator, Sequence


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
    """With a capital letter at its beginning and one full stop at its end."""
    text = one_line(text).rstrip(".")
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def one_line(text: str) -> str:
    """Without line breaks, and without what a page would take for an HTML tag."""
    return " ".join(text.split()).replace("<", "&lt;")


def listed(names: Sequence[str]) -> str:
    """`a`, `b` and `c`, each as code."""
    shown = [f"`{name}`" for name in names]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else ""


def many(count: int, noun: str) -> str:
    """`1 job`, `2 jobs`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(one_line(cell).replace("|", "\\|") for cell in cells) + " |"
