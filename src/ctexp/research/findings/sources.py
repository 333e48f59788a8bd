"""Footnotes: where each cited number came from."""

from collections.abc import Iterable, Mapping

from ctexp.research.figures import Cited, Compared, Derived, Figure, quotes
from ctexp.research.findings.wording import code, inline

_SHOWN = 12  # characters of a hash; records have all


def sources(texts: Iterable[str], known: Mapping[str, Figure], records: Mapping[str, str]) -> str:
    """The block of sources of a page: a footnote for every figure that its texts cite.

    Args:
        texts: all that the page says, people's words included.
        known: figures by their marks; marks of no figure get no footnote.
        records: SHA-256 of the records that the page was made from, by their file's name.
    """
    cited = [known[quote.mark] for text in texts for quote in quotes(text) if quote.mark in known]
    wanted = {part.mark: part for figure in cited for part in figure.whole()}
    lines = [
        "## Sources",
        "",
        "Every number with a footnote can be worked out again: `scripts/inv findings-check` does so, and "
        "fails where one digit differs. Where 12 characters of a SHA-256 are told, records have all 64.",
        "",
        *(f"- {code(name)}: {sha256}" for name, sha256 in records.items()),
        "",
        *(f"[^{mark}]: {_origin(figure)}" for mark, figure in wanted.items()),
    ]
    return "\n".join(lines)


def _origin(figure: Figure) -> str:
    """Where a figure came from, one line."""
    source = figure.source
    if isinstance(source, Cited):
        kind = "run file" if source.run else "file"
        way = code(" → ".join(str(step) for step in source.key))
        return f"{kind} {code(source.file)}, {way}, SHA-256 {source.sha256[:_SHOWN]}"
    if isinstance(source, Compared):
        sides = " with ".join(
            ", ".join(code(run) for run in side) for side in (source.candidate, source.baseline)
        )
        tables = ", ".join(f"{code(run)} {sha256[:_SHOWN]}" for run, sha256 in sorted(source.files.items()))
        return (
            f"paired comparison of {sides} on the same {source.split} images: {inline(source.metric)}, "
            f"candidate less baseline; tables of predictions {tables}"
        )
    if isinstance(source, Derived):
        joined = " less " if source.formula == "difference" else ", "
        return f"{source.formula} of {joined.join(f'{part}' for part in source.of)}"
    return (
        "counted by its handler" if figure.exact else "reported by its handler; nothing to recompute it from"
    )
