"""Words of findings: what people may read in Markdown, whatever characters a finding brings along."""

import re
from collections.abc import Iterable, Sequence

from ctexp.research.assessment import Assessment
from ctexp.research.figures import Figure, quotes
from ctexp.research.plan.content import Criterion

_NOTE = re.compile(r"\[\^[^\]]*\]")
_LONG = 400  # characters of what went wrong; the record has all


def inline(text: str, known: Iterable[str] = ()) -> str:
    """Text as one line in which nothing becomes a mark, a footnote or HTML.

    Args:
        text: by a person or a handler.
        known: marks of figures that may stay footnotes.
    """
    line = " ".join(text.split()).replace("<", "&lt;")
    allowed = {f"[^{mark}]" for mark in known}

    def kept(found: re.Match[str]) -> str:
        # At the beginning of a line a note followed by a colon would be a definition of it.
        cites = found[0] in allowed and found.start() > 0
        return found[0] if cites else found[0].replace("[", "\\[")

    return _NOTE.sub(kept, line)


def sentence(text: str) -> str:
    """What went wrong, or stands in the way: one line of bearable length, with its full stop."""
    line = inline(text)
    line = f"{line[:_LONG]}…" if len(line) > _LONG else line
    return line if line.endswith((".", "?", "…")) else f"{line}."


def cell(text: str) -> str:
    """The same inside a table."""
    return text.replace("|", "\\|")


def code(text: str) -> str:
    """A name as it is typed."""
    return f"`{' '.join(text.split()).replace('`', chr(39))}`"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table."""
    return [
        f"| {' | '.join(headings)} |",
        f"| {' | '.join('---' for _ in headings)} |",
        *(f"| {' | '.join(cell(one) for one in row)} |" for row in rows),
    ]


def bullets(lines: Iterable[str]) -> list[str]:
    """A list."""
    return [f"- {line}" for line in lines]


def status(its: Assessment) -> str:
    """How far an experiment has come; that a program failed must not read as if a claim had."""
    return (
        "incomplete, a part of it failed to run" if its.status == "failed" else its.status.replace("_", " ")
    )


def advice(its: Assessment) -> str:
    """What is recommended; what nobody has begun is no bad news."""
    return its.recommendation if begun(its) else "not begun"


def begun(its: Assessment) -> bool:
    """Whether any of it was answered, or tried; what waits for others was not."""
    return its.status not in ("not_started", "blocked")


def quantity(criterion: Criterion) -> str:
    """What a criterion is about: its metric, and what the plan notes of it."""
    return code(criterion.metric) + (f": {inline(criterion.note)}" if criterion.note else "")


def wanted(criterion: Criterion) -> str:
    """What a criterion asks for: `at least 0.9; acceptable from 0.85; failed below 0.8`."""
    higher = criterion.direction == "higher"
    beats, misses, reach = ("at least", "below", "from") if higher else ("at most", "above", "up to")
    parts = [f"{beats} {criterion.target:g}"]
    if criterion.acceptable is not None:
        parts.append(f"acceptable {reach} {criterion.acceptable:g}")
    if criterion.failure is not None:
        parts.append(f"failed {misses} {criterion.failure:g}")
    return "; ".join(parts)


def measured(figure: Figure | None) -> str:
    """A figure with its footnote, or the word that there is none."""
    return "not measured" if figure is None else f"{figure}"


def unmarked(text: str) -> str:
    """Text without the marks of figures."""
    for mark in {quote.mark for quote in quotes(text)}:
        text = text.replace(f"[^{mark}]", "")
    return text
