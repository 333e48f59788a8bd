"""Plain tables: no lines around cells, numbers at the right."""

from collections.abc import Mapping

from rich.table import Table

from ctexp.core.classes import CLASSES


def plain(*headings: str, wraps: str = "") -> Table:
    """A table without rows yet.

    Args:
        headings: of its columns; those that end in a colon, which is not shown, hold numbers.
        wraps: the heading of the one column whose text may take several lines.
    """
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(
            heading.rstrip(":"),
            justify="right" if heading.endswith(":") else "left",
            no_wrap=heading != wraps,
            overflow="fold" if heading == wraps else "ellipsis",
        )
    return table


def per_class(counts: Mapping[str, Mapping[str, int]], *, total: bool = False) -> Table:
    """Images of each class, a column for each split or fold, with a line for all of them if wanted."""
    named = [f"fold {part}" if part.isdigit() else part.replace("_", " ") for part in counts]
    table = plain("class", *(f"{name}:" for name in named))
    for name in CLASSES:
        table.add_row(name, *(f"{its[name]:,}" for its in counts.values()))
    if total:
        table.add_row("all", *(f"{sum(its.values()):,}" for its in counts.values()))
    return table
