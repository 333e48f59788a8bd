"""A YAML file key by key: what each may be, and on which line it is something else."""

import math
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar

from ctexp.core.errors import UsageError
from ctexp.core.names import did_you_mean
from ctexp.core.yaml_file import Lines

Place = tuple[str | int, ...]
"""Where something stands: `("parameters", "optimizer.lr", "min")`."""


Word = TypeVar("Word", bound=str)
"""A word of a few that are known, kept apart by the type checker."""


class Mistakes:
    """What is wrong with a file, told all at once.

    Args:
        shown: what to call the file.
        lines: where in it everything stands.
    """

    def __init__(self, shown: str, lines: Lines) -> None:
        self._shown = shown
        self._lines = lines
        self._found: list[tuple[int, str]] = []
        self._besides: list[tuple[Place, Callable[[], str]]] = []
        self._notes: list[tuple[int, str]] = []
        self._idle: dict[str, list[Place]] = {}

    def say(self, place: Place, what: str) -> None:
        """Note one."""
        self._found.append((self._lines.of(place), f"{self.at(place)}: {what}"))

    def say_on(self, line: int, what: str) -> None:
        """Note one of a line."""
        self._found.append((line, f"{self._shown}:{line}: {what}"))

    def say_besides(self, place: Place, what: Callable[[], str]) -> None:
        """Note one that a later and dearer look would find as well: told where it does not come to that."""
        self._besides.append((place, what))

    def note(self, place: Place, what: str) -> None:
        """Note what is not wrong, but should be known."""
        self._notes.append((self._lines.of(place), f"{self.at(place)}: {what}"))

    def note_idle(self, place: Place, why: str = "") -> None:
        """Note a key that has no effect here; all of them are told in one line."""
        self._idle.setdefault(why, []).append(place)

    @property
    def notes(self) -> tuple[str, ...]:
        """In the order of the file."""
        if not self._idle:
            return _in_order(self._notes)
        said = [
            ", ".join(".".join(map(str, place)) for place in places) + (f" ({why})" if why else "")
            for why, places in self._idle.items()
        ]
        first = min(self._lines.of(place) for places in self._idle.values() for place in places)
        told = f"{self._shown}:{first}: without effect here: {'; '.join(said)}"
        return _in_order([*self._notes, (first, told)])

    def at(self, place: Place) -> str:
        """`conf/sweep/lr_wd.yaml:7: parameters.optimizer.lr`, what a problem there begins with."""
        said = f"{self._shown}:{self._lines.of(place)}"
        return f"{said}: {'.'.join(str(part) for part in place)}" if place else said

    def line(self, place: Place) -> int:
        """Where a part stands, or what is around it where it is not written."""
        return self._lines.of(place)

    def refuse(self) -> None:
        """End here if anything was noted.

        Raises:
            UsageError: every mistake, in the order of the file.
        """
        if self._found:
            for place, what in self._besides:
                self.say(place, what())
            raise UsageError(_in_order(self._found))


def _in_order(lines: list[tuple[int, str]]) -> tuple[str, ...]:
    return tuple(said for _, said in sorted(lines, key=lambda one: one[0]))


class Part:
    """Keys and values somewhere in the file.

    Args:
        data: what stands there; anything but keys and values is a mistake, and read as none.
        place: where that is.
        mistakes: are told what is wrong.
    """

    def __init__(self, data: Any, place: Place, mistakes: Mistakes) -> None:
        self.place = place
        self.mistakes = mistakes
        if data is not None and not isinstance(data, dict):
            mistakes.say(place, f"expected keys and values, got {told(data)}")
        self.data: Mapping[str, Any] = data if isinstance(data, dict) else {}

    def __contains__(self, key: str) -> bool:
        return key in self.data

    def say(self, key: str, what: str) -> None:
        """Note a mistake of a key."""
        self.mistakes.say((*self.place, key), what)

    def only(self, *known: str) -> None:
        """Note every other key, with the one that was probably meant."""
        for key in (key for key in self.data if key not in known):
            near = did_you_mean(key, known)
            self.say(key, f"unknown key; {near}" if near else "unknown key")

    def others(self, *known: str) -> dict[str, Any]:
        """Every other key with its value, each noted with the one that was probably meant."""
        kept = {key: value for key, value in self.data.items() if key not in known}
        for key in kept:
            near = get_close_matches(key, known, n=1)
            asked = f"; did you mean {near[0]!r}?" if near else ""
            self.mistakes.note((*self.place, key), f"unknown key, kept{asked}")
        return kept

    def part(self, key: str) -> "Part":
        """The keys and values below a key."""
        return Part(self.data.get(key), (*self.place, key), self.mistakes)

    def text(self, key: str, default: str = "") -> str:
        """Text; what is not there is the default."""
        said = self.data.get(key)
        if said is None or isinstance(said, str):
            return said or default
        self.say(key, f"expected text, got {told(said)}")
        return default

    def one_of(self, key: str, options: Sequence[Word], default: Word) -> Word:
        """One of several words; what is not there, or is none of them, is the default."""
        said = self.data.get(key, default)
        for option in options:
            if option == said:
                return option
        near = (
            did_you_mean(said, options) if isinstance(said, str) else f"choose one of: {', '.join(options)}"
        )
        self.say(key, f"{told(said)} is none it can be; {near}".rstrip("; "))
        return default

    def number(self, key: str, *, least: float = -math.inf, above: float = -math.inf) -> float | None:
        """A number; None where there is none."""
        said = self.data.get(key)
        if said is None:
            return None
        if not isinstance(said, int | float) or isinstance(said, bool) or not math.isfinite(said):
            self.say(key, f"expected a number, got {told(said)}")
            return None
        if said < least or said <= above:
            wanted = f"at least {least:g}" if said < least else f"above {above:g}"
            self.say(key, f"expected a number {wanted}, got {said}")
            return None
        return said

    def whole(self, key: str, *, least: int, most: float = math.inf) -> int | None:
        """A whole number; None where there is none."""
        said = self.data.get(key)
        if said is None or (isinstance(said, int) and not isinstance(said, bool) and least <= said <= most):
            return said
        bounds = f"of at least {least}" if most == math.inf else f"from {least} to {most:g}"
        self.say(key, f"expected a whole number {bounds}, got {told(said)}")
        return None

    def sequence(self, key: str) -> list[Any] | None:
        """A list of at least one; None where there is none."""
        said = self.data.get(key)
        if said is None or (isinstance(said, list) and said):
            return said
        self.say(key, f"expected a list of at least one, got {told(said)}")
        return None

    def texts(self, key: str) -> list[tuple[Place, str]]:
        """A list of texts, each with its place; what is not there is none."""
        found = []
        for number, said in enumerate(self.sequence(key) or ()):
            place = (*self.place, key, number)
            if isinstance(said, str) and said.strip():
                found.append((place, said))
            else:
                self.mistakes.say(place, f"expected text, got {told(said)}")
        return found


def told(value: Any) -> str:
    """A value as a message names it."""
    if value is None:
        return "nothing"
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
