"""Footnotes: where each cited number came from."""

from collections.abc import Iterable, Mapping

from ctexp.core.wording import many
from ctexp.research.figures import Cited, Compared, Derived, Figure, Formula, quotes
from ctexp.research.findings.wording import code

_SHOWN = 12  # characters of a hash; records have all
_FORMULAS: Mapping[Formula, str] = {
    "mean": "the mean of",
    "sd": "the standard deviation of",
    "difference": "",
    "sum": "the sum of",
    "minimum": "the smallest of",
    "maximum": "the largest of",
}


def sources(texts: Iterable[str], known: Mapping[str, Figure], records: Mapping[str, str]) -> str:
    """The block of sources of a page: a footnote for every figure that its texts cite.

    Args:
        texts: all that the page says, people's words included.
        known: figures by their marks; marks of no figure get no footnote.
        records: SHA-256 of the records that the page was made from, by their file.
    """
    cited = [known[quote.mark] for text in texts for quote in quotes(text) if quote.mark in known]
    wanted = {part.mark: part for figure in cited for part in figure.whole()}
    lines = [
        "## Sources",
        "",
        "Where each number came from. What is cited from a file, compared or derived is worked out again "
        "by `scripts/inv findings-check`, which fails where one digit differs; what a handler counted or "
        "reported is as that program said. Where 12 characters of a SHA-256 are told, records have all 64.",
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
        way = code(" → ".join(str(step) for step in source.key))
        said = f"run {code(source.run)}, {code(_inside(source))}" if source.run else code(source.file)
        return f"{said}, {way}, SHA-256 {source.sha256[:_SHOWN]}"
    if isinstance(source, Compared):
        return (
            f"{code(source.metric)} of {_side(source.candidate, source)} less that of "
            f"{_side(source.baseline, source)}, paired on the same {source.split} images; {source.verdict} "
            f"among {many(len(source.family), 'metric')} judged together"
        )
    if isinstance(source, Derived):
        joined = " less " if source.formula == "difference" else ", "
        return f"{_FORMULAS[source.formula]} {joined.join(f'{part}' for part in source.of)}".strip()
    return (
        "counted by its handler" if figure.exact else "reported by its handler; nothing to recompute it from"
    )


def _inside(source: Cited) -> str:
    return source.file.removeprefix(f"{source.run}/")


def _side(runs: Iterable[str], source: Compared) -> str:
    """Runs, each with the hash of its predictions."""
    return ", ".join(f"{code(run)} (predictions {source.files[run][:_SHOWN]})" for run in runs)
