"""`diff`: two runs side by side: code, configuration, data, environment, results."""

from rich.table import Table
from rich.text import Text

from ctexp.cli.meant import the_one
from ctexp.config.compose import resolve_paths
from ctexp.core import screen
from ctexp.core.errors import UsageError
from ctexp.core.paths import project_root
from ctexp.record.run_dir import RunDir
from ctexp.reproduction.differences.both import Section, differences

_LISTED = 40


def diff(a: str, b: str, json: bool) -> None:
    """Print in what two runs differ."""
    root = project_root()
    found = [the_one(root, said) for said in (a, b)]
    runs = [run for run in found if isinstance(run, RunDir)]
    if len(runs) < len(found):
        whole = next(one for one in found if not isinstance(one, RunDir))
        raise UsageError(
            f"{whole.id}: a cross-validation",
            f"name two of its runs; `scripts/inv show {whole.id}` lists them",
        )
    one, other = runs
    if one.path == other.path:
        raise UsageError(f"{a} and {b} are both {one.id}", "name two runs")
    sections = differences(one, other, root, resolve_paths(root)[0])
    if json:
        screen.emit_json({"a": one.id, "b": other.id} | {its.title: _document(its) for its in sections})
        return
    print(f"a  {one.id}\nb  {other.id}")
    for section in sections:
        _print(section)


def _document(section: Section) -> dict[str, object]:
    return {
        "differences": [row.document() for row in section.rows],
        "notes": list(section.notes),
    }


def _print(section: Section) -> None:
    count = "" if section.title == "results" else f" ({len(section.rows)})"
    print(f"\n{section.title}{count if section.rows else ': the same'}")
    if section.rows:
        screen.print_table(_table(section))
    if len(section.rows) > _LISTED:
        screen.note(f"{len(section.rows) - _LISTED} more; --json has all")
    for note in section.notes:
        print(f"  {note}")


def _table(section: Section) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("", "a", "b"):
        table.add_column(heading, overflow="fold")
    for row in section.rows[:_LISTED]:
        table.add_row(f"  {row.what}", *(Text("-" if value is None else value) for value in row.said))
    return table
