"""What `monitor` prints: how much was found, a table of it, and what nobody can tell."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

from ctexp.cli.tables import plain
from ctexp.core import screen
from ctexp.core.wording import many, some
from ctexp.monitor.finding import Finding, Report, told_apart
from ctexp.monitor.live import Change

_TABLE = 120  # columns, off a terminal too: evidence is sentences, which nobody reads in one line
_COLOURS = {"alarm": "bold red", "warning": "yellow", "note": "dim"}


def tell(found: Report) -> None:
    """Print it, of several runs without what has passed; what could not be read goes to stderr."""
    for note in found.notes:
        screen.warn(note)
    print(_headline(found))
    shown = [one for one in found.findings if len(found.runs) == 1 or not one.passed]
    if shown:
        print()
        screen.print_table(_table(shown, found), _TABLE)
    if passed := len(found.findings) - len(shown):
        print(f"\nnot shown: {passed} that passed while training; scripts/inv monitor RUN tells them")
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
    told = [many(number, word) for word, number in found.counts.items() if number]
    quiet = "nothing looks wrong" if any(run.epochs for run in found.runs) else "no epoch to judge"
    return f"{looked}: {', '.join(told) or quiet}"


def _table(findings: Sequence[Finding], found: Report) -> Table:
    """A row for all that are the same finding."""
    table = plain("", "what", "evidence", wraps="evidence")
    for same in _alike(findings, found):
        one = same[0]
        said = Text(f"{_evidence(same, found)}\n-> {one.advice}")
        table.add_row(Text(one.severity, _COLOURS[one.severity]), _spelled(one.rule), said)
    return table


def _alike(findings: Sequence[Finding], found: Report) -> Iterable[list[Finding]]:
    """What is told of several runs in the same words, or of runs of one name in figures of their own.

    Of the project's conclusions, what one rule says.
    """
    worded: dict[tuple[str, ...], list[Finding]] = defaultdict(list)
    for one in findings:
        key = ("",) if one in found.project else (one.message, one.advice)
        worded[one.severity, one.rule, *key].append(one)
    names = {run.run: run.name for run in found.runs}
    alike: dict[object, list[Finding]] = defaultdict(list)
    for same in worded.values():
        one = same[0]
        of = {names.get(each.runs[0], "") for each in same}
        about = (one.severity, one.rule, *told_apart(one))
        # Those of several names have their words in common, and are a row already.
        alike[(*about, *of) if len(of) == 1 else id(same)].extend(same)
    return alike.values()


def _evidence(same: Sequence[Finding], found: Report) -> str:
    """The runs it is about, where more than one was looked at, and what shows it."""
    one = same[0]
    if one in found.project:
        return "; ".join(_said(each) for each in same)
    if len(found.runs) == 1:
        return _said(one)
    runs = [each.runs[0] for each in same]
    example = "" if len({each.message for each in same}) == 1 else f", for example {runs[0]}"
    return f"{some(_named(runs, found))}{example}: {_said(one)}"


def _named(runs: Sequence[str], found: Report) -> list[str]:
    """Each run by its id; several of a name as `base (4 of 5 runs)`."""
    named: dict[str, list[str]] = defaultdict(list)
    for run in found.runs:
        named[run.name].append(run.run)
    told = []
    for name, looked in named.items():
        of = [run for run in looked if run in runs]
        count = f"{len(of)} runs" if len(of) == len(looked) else f"{len(of)} of {len(looked)} runs"
        told += of if len(of) < 2 else [f"{name} ({count})"]
    return told


def _said(one: Finding) -> str:
    sure = "" if one.confidence == "moderate" else f" ({one.confidence} confidence)"
    return one.message + ("" if one.epoch is None else f" (epoch {one.epoch})") + sure


def _unknown(found: Report) -> list[str]:
    """A line for each rule that could not be asked of some run, and why."""
    runs: dict[tuple[str, str], int] = defaultdict(int)
    for judged in found.runs:
        for one in judged.unknown:
            # A command that names the run is the same for all of them.
            why = one.why if len(found.runs) == 1 else one.why.replace(judged.run, "RUN")
            runs[one.rule, why] += 1
    several = len(found.runs) > 1
    return [
        f"not known: {_spelled(rule)}: {why}" + (f" ({count} runs)" if several and count > 1 else "")
        for (rule, why), count in sorted(runs.items())
    ]


def _spelled(rule: str) -> str:
    return rule.replace("_", " ")
