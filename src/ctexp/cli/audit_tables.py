"""What `audit-tracking` prints: the assessment, what is critical, what to do, how the score comes about."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from ctexp.checklist.advice import Addition, Advice, Recommendation, assessment
from ctexp.checklist.audit import Audit
from ctexp.core import screen
from ctexp.core.wording import some

_TABLE = 120  # columns, off a terminal too


def tell(found: Audit, advice: Advice) -> None:
    """Print it, in the order in which it matters."""
    for line in assessment(found):
        print(line)
    _wrong("Critical", advice.critical, found)
    _wrong("Recommendations", advice.recommendations, found)
    _additions("Metrics worth adding", advice.metrics)
    _additions("Names and organisation", advice.organisation)
    if advice.next_steps:
        print("\nNext steps")
        for number, step in enumerate(advice.next_steps, 1):
            print(f"  {number}. {step}")
    _points(found)


def _wrong(title: str, listed: Sequence[Recommendation], found: Audit) -> None:
    if not listed:
        return
    print(f"\n{title}")
    for one in listed:
        detail = f" ({one.detail})" if one.detail else ""
        print(f"  {one.point}, {one.lost:.1f} points: {one.said}{detail}{_runs(one.runs, found)}")
        print(f"    -> {one.fix}")


def _additions(title: str, listed: Sequence[Addition]) -> None:
    if not listed:
        return
    print(f"\n{title}")
    for one in listed:
        print(f"  {one.said}")
        print(f"    -> {one.fix}")


def _points(found: Audit) -> None:
    """How the score comes about: each point with its weight, and what the runs have of it."""
    print("\nHow the score comes about")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading, justify in (("  points", "right"), ("of", "right"), ("what", "left"), ("asked for", "left")):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for point, share, _ in found.shares():
        got = "-" if share is None else f"{point.weight * share:.1f}".removesuffix(".0")
        table.add_row(got, str(point.weight), Text(point.id), Text(point.asks))
    screen.print_table(table, _TABLE)
    print("A point that cannot be asked (-) counts neither way; the score is of those that can.")


def _runs(runs: Sequence[str], found: Audit) -> str:
    if len(found.runs) == 1:
        return ""
    return f"; {len(runs)} of {len(found.runs)} runs: {some(runs)}"
