"""The catalogue as a page for people: `python -m ctexp.core.failures.page docs/errors.md`."""

import re
import sys
import textwrap
from itertools import groupby
from pathlib import Path

from ctexp.core import files
from ctexp.core.failures.catalogue import Entry, entries

_COLUMNS = 118

_HEAD = """\
# Common errors

A failure ends with one line: what is wrong, and after an arrow what to do about it. Where it comes from below
(torch, the driver, the disk, git), its message is looked up in a catalogue; what that knows stands here. A
message that it does not know gets no hint.

| where the hint shows | where the whole traceback is |
| --- | --- |
| the results block of a run, its `result.json` | `train.log` of the run |
| a night's page, beside the job that failed | the job's log in the queue's folder |
| what `inv research-run` says of a handler | `research/results/<experiment>/<sub>.json` |
| the line `bug:` of any command | the file that this line names; `--debug` prints it |

This page is written from `src/ctexp/core/failures/known/` by
`python -m ctexp.core.failures.page docs/errors.md`. A new entry there needs a sign that is sure, and the
message as a program printed it.
"""


def page() -> str:
    """The page's text: Markdown, a heading an area, below it one a failure."""
    areas = [(area, list(listed)) for area, listed in groupby(entries(), key=lambda entry: entry.area)]
    contents = " · ".join(f"[{area}](#{area.lower().replace(' ', '-')})" for area, _ in areas)
    told = [f"## {area}\n\n" + "\n\n".join(map(_told, listed)) for area, listed in areas]
    return "\n\n".join([_HEAD.rstrip(), _wrapped(contents), *told]) + "\n"


def _told(entry: Entry) -> str:
    lines = entry.examples[0].splitlines() if entry.examples else []
    shown = ["```text\n" + "\n".join(map(_wrapped, lines)) + "\n```"] if lines else []
    codes = " or ".join(str(code) for code in entry.exit_codes if code > 0)
    silent = f"A program that ends with exit code {codes} without a word."
    ends = [f"Or: {silent[0].lower()}{silent[1:]}" if shown else silent] if codes else []
    fixes = "\n".join(_wrapped(f"- {_open(fix)}", "  ") for fix in entry.fixes)
    said = _open(entry.diagnosis)
    return "\n\n".join([f"### {entry.id}", *shown, *ends, f"{said[0].upper()}{said[1:]}.", fixes])


def _open(text: str) -> str:
    """A text whose gaps a message fills, `{path}`, as a reader would write them: `PATH`."""
    return re.sub(r"\{(\w+)\}", lambda gap: gap[1].upper(), text)


def _wrapped(line: str, further: str = "") -> str:
    return "\n".join(
        textwrap.wrap(
            line, _COLUMNS, subsequent_indent=further, break_long_words=False, break_on_hyphens=False
        )
    )


if __name__ == "__main__":
    files.write_text(Path(sys.argv[1]), page())
