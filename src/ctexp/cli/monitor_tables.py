"""What `monitor` prints: how much was found, a table of it, and what nobody can tell."""

from collections import defaultdict

from rich.table import Table
from rich.text import Text

from ctexp.core import screen
from ctexp.monitor.finding import Finding, Report
from ctexp.monitor.live import Change

_TABLE = 120  # columns, off a terminal too: evidence is sentences, which nobody reads in one line
_COLOURS = {"alarm": "bold red", "warning": "yellow", "note": "dim"}


def tell(found: Report) -> None:
    """Print it; what could not be read goes to stderr."""
    for note in found.notes:
        screen.warn(note)
    print(_headline(found))
    if found.findings:
        console = screen.results()
        print()
        console.print(_table(found), width=min(console.width, _TABLE))
    untold = _unknown(found)
    if untold:
        print()
    for line in untold:
        print(line)


def change_line(change: Change) -> str:
    """A change as one line."""
    if change.finding is None:
        return f"{change.run}: {'followed' if change.state == 'follows' else change.said}"
    one = change.finding
    if change.state == "passed":
        return f"{change.run}: passed: {_spelled(one.rule)}"
    return f"{change.run}: {one.severity}: {_spelled(one.rule)}: {one.message} -> {one.advice}"


def _headline(found: Report) -> str:
    count = len(found.runs)
    looked = f"{found.runs[0].run}, {found.runs[0].state}" if count == 1 else f"{count:,} runs looked at"
    told = [f"{number} {word}{'' if number == 1 else 's'}" for word, number in found.counts.items() if number]
    return f"{looked}: {', '.join(told) or 'nothing looks wrong'}"


def _table(found: Report) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("", "what"):
        table.add_column(heading, no_wrap=True)
    table.add_column("evidence", overflow="fold")
    for one in found.findings:
        table.add_row(Text(one.severity, _COLOURS[one.severity]), _spelled(one.rule), _said(one, found))
    return table


def _said(one: Finding, found: Report) -> Text:
    about = "" if len(found.runs) == 1 and one not in found.project else f"{one.runs[0]}: "
    sure = "" if one.confidence == "moderate" else f" ({one.confidence} confidence)"
    epoch = "" if one.epoch is None else f" (epoch {one.epoch})"
    return Text(f"{about}{one.message}{epoch}{sure}\n-> {one.advice}")


def _unknown(found: Report) -> list[str]:
    """A line for each rule that could not be asked of some run, and why."""
    runs: dict[tuple[str, str], int] = defaultdict(int)
    for judged in found.runs:
        for one in judged.unknown:
            runs[one.rule, one.why] += 1
    many = len(found.runs) > 1
    return [
        f"not known: {_spelled(rule)}: {why}" + (f" ({count} runs)" if many and count > 1 else "")
        for (rule, why), count in sorted(runs.items())
    ]


def _spelled(rule: str) -> str:
    return rule.replace("_", " ")
