"""Which known failure a message speaks of; none where that is not sure: a wrong hint is worse than none.

An entry of `known/`, under its area:

    signs             patterns (Python's re, `^` and `$` at a line's ends), any of which tells it
    exit_codes        of programs that end without a word; minus the signal, and 128 + it, where one killed
    diagnosis, fixes  what happened, what to do; {group} is a named group of the sign; commands in backquotes
    examples          messages as programs have printed them; the first stands on the page

Of several matches in a text the last counts, of several in one line the entry that stands higher, or in a
file before.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from ctexp.core.errors import CtexpError

PAGE = "docs/errors.md"
"""What `page` writes; an entry's heading there is its id."""

_TAIL = 200
"""Lines at a log's end that are looked at: what ended a program stands last."""

_MOST = 200_000
"""Characters of them."""

_WIDEST = 1000
"""Characters of a line that are looked at: no pattern takes long for so many, whatever they are."""

_TIME = re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]+Z ", re.MULTILINE)
"""What stands before each line of a run's log."""

_NAMED = 200
"""Characters of what a message names, in a hint."""

_FRAME = re.compile(r'^.*\bFile ".+", line \d+.*(?:\n[ \t]{4,}.*)*', re.MULTILINE)
"""A place in a traceback: what it shows of the source may quote any message."""

_ANOTHER = "During handling of the above exception, another exception occurred:"
"""What stands above it in a traceback had been caught."""


@dataclass(frozen=True)
class Entry:
    """A known failure.

    Attributes:
        id: lower-case words joined by hyphens.
        area: what the page lists it under.
        signs: patterns, any of which tells it; with `^` and `$` at a line's ends. The names of their groups
            stand in braces in the diagnosis and the fixes.
        exit_codes: of programs that end so without a word; minus the signal, where one killed it.
        diagnosis: what has happened, one sentence without its full stop.
        fixes: what to do, the likeliest first; commands between backquotes.
        examples: messages as programs have printed them.
    """

    id: str
    area: str
    signs: tuple[re.Pattern[str], ...]
    exit_codes: tuple[int, ...]
    diagnosis: str
    fixes: tuple[str, ...]
    examples: tuple[str, ...]

    @property
    def anchor(self) -> str:
        """Where more is said of it, from the project's folder."""
        return f"{PAGE}#{self.id}"

    @property
    def hint(self) -> str:
        """One line: what has happened, what to do first, and where the rest stands."""
        return f"{self.diagnosis}: {self.fixes[0]} ({self.anchor})"


@cache
def entries() -> tuple[Entry, ...]:
    """All that is known, in the order in which it is asked."""
    from ctexp.core import yaml_file  # every verb is ready to explain; few have to

    files = sorted(Path(__file__).with_name("known").glob("*.yaml"))
    areas = [area for file in files for area in yaml_file.read_mapping(file, file.name).items()]
    return tuple(
        Entry(
            id=name,
            area=area,
            signs=tuple(re.compile(sign, re.MULTILINE) for sign in known.get("signs", ())),
            exit_codes=tuple(known.get("exit_codes", ())),
            diagnosis=known["diagnosis"],
            fixes=tuple(known["fixes"]),
            examples=tuple(known.get("examples", ())),
        )
        for area, listed in areas
        for name, known in listed.items()
    )


def explain(said: str | BaseException, exit_code: int | None = None) -> Entry | None:
    """The known failure that a text speaks of, the names of the text in place of the braces.

    Of several that a text speaks of, the last one counts: what ended a program stands at the end of its log.

    Args:
        said: a message, a traceback, the end of a log, or an error with what had caused it.
        exit_code: of the program, or minus the signal that killed it; asked where the words tell nothing.
    """
    try:
        known = entries()
    except (CtexpError, OSError, MemoryError):  # no file can be opened any more, or no memory is left
        return None
    text = _end("\n".join(_told(said)) if isinstance(said, BaseException) else said)
    found = [
        (text.count("\n", 0, match.end()), -order, entry, match)
        for order, entry in enumerate(known)
        for sign in entry.signs
        for match in sign.finditer(text)
    ]
    if found:
        *_, entry, match = max(found, key=lambda one: one[:2])
        return _filled(entry, match.groupdict())
    return next((entry for entry in known if exit_code in entry.exit_codes), None)


def _filled(entry: Entry, names: dict[str, str | None]) -> Entry:
    known = {name: " ".join((value or "").split())[:_NAMED] for name, value in names.items()}
    fixes = tuple(fix.format_map(known) for fix in entry.fixes)
    return replace(entry, diagnosis=entry.diagnosis.format_map(known), fixes=fixes)


def _end(text: str) -> str:
    """The lines that may speak of an end: the last ones, without source and without what had been caught."""
    clipped = "\n".join(line[:_WIDEST] for line in text[-_MOST:].splitlines())
    untimed = _TIME.sub("", clipped)
    lines = _FRAME.sub("", untimed).rpartition(_ANOTHER)[2].splitlines()
    return "\n".join([line for line in lines if line][-_TAIL:])


def _told(error: BaseException | None) -> Iterator[str]:
    """`Kind: message` of an error and of what is said to have caused it, the first cause first."""
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__
    for one in reversed(chain):
        kind = type(one)
        module = "" if kind.__module__ in {"builtins", "__main__"} else f"{kind.__module__}."
        yield f"{module}{kind.__qualname__}: {one}"
