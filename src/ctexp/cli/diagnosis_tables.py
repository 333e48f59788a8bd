"""What `diagnose` prints: a sentence, the bottleneck, a table of the rest, what stands, what is next."""

import shutil
import sys
import textwrap

from rich.table import Table

from ctexp.cli.tables import plain
from ctexp.core import screen
from ctexp.core.wording import many, some
from ctexp.planning.diagnosis.diagnose import NAMES
from ctexp.planning.diagnosis.findings import Diagnosis, Finding

_WIDEST = 110  # of running text: longer lines are hard to follow
_TABLE = 120  # columns of a table, off a terminal too: evidence is sentences, which nobody reads in one line
_CITED = 4
_STATES = ("seen", "unknown", "not seen")
_BEFORE = ("leakage", "instability")  # what can be known before anything was judged


def tell(found: Diagnosis, why_incumbent: str) -> None:
    """Print it; notes go to stderr."""
    _paragraph(found.said)
    if found.incumbent:
        subject = f"{found.dataset}, split {found.split}"
        looked = f"{many(found.recipes, 'recipe')}, {many(found.runs, 'training')}"
        why = f" ({why_incumbent})" if why_incumbent else ""
        print()
        _paragraph(f"{subject}: {looked}; the incumbent is {found.incumbent}{why}")
    named = found.bottleneck or found.suspected
    first = found.of(named) if named else None
    if first:
        print()
        _bottleneck(first)
    print()
    screen.print_table(_others(found, first), _TABLE)
    print()
    _paragraph("established: " + ("" if found.established else "no difference between recipes"))
    for line in found.established:
        _paragraph(line, indent="  ")
    for note in found.notes:
        screen.note(f"note: {note}")
    print("next: scripts/inv plan")


def _bottleneck(one: Finding) -> None:
    """What its sentence rests on; the sentence itself stands at the top."""
    rows = {
        "about": ", ".join(one.about),
        "confidence": f"{one.confidence}: {one.why_so_sure}",
        "refuted by": one.refuted_by,
        "rests on": some(one.cites, _CITED),
    }
    for name, text in rows.items():
        if text:
            _paragraph(f"{name:<12}{text}", indent=" " * 12, first="")


def _others(found: Diagnosis, first: Finding | None) -> Table:
    table = plain("", "", "confidence", "evidence", wraps="evidence")
    kept = [one for one in found.findings if one is not first and (found.recipes or one.kind in _BEFORE)]
    for one in sorted(kept, key=lambda its: _STATES.index(its.state)):
        name = NAMES[one.kind].removeprefix("a ").removeprefix("an ")
        table.add_row(name, one.state, one.confidence, one.said)
    return table


def _paragraph(text: str, indent: str = "", first: str | None = None) -> None:
    """Wrapped on a terminal; whole lines elsewhere, for scripts."""
    start = indent if first is None else first
    if not sys.stdout.isatty():
        print(start + text)
        return
    width = min(_WIDEST, shutil.get_terminal_size().columns)
    wrapped = textwrap.fill(
        text,
        width,
        initial_indent=start,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    print(wrapped)
