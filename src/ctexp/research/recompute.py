"""Figures worked out again from what they cite, by a program that knows nothing of the handler.

A cited file, and every table of predictions of a comparison, must be the very one that was cited: a hash that
differs is told before any number is looked at.
"""

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from ctexp.core import files, yaml_file
from ctexp.core.errors import CtexpError, DataError, UsageError
from ctexp.record.run_dir import RunDir
from ctexp.record.subjects import Subject
from ctexp.research import deriving
from ctexp.research.figures import Cited, Compared, Derived, Figure, Reported, Step

_ROUNDING = 1e-9
"""How far two machines' arithmetic may be apart, relative; files say the same everywhere."""

Numbers = tuple[float | None, float | None, float | None]
"""Value and both ends of the interval."""


class Gone(DataError):
    """A cited file is not here."""


class Altered(DataError):
    """A cited file is not the one that was cited."""


class Recomputing:
    """Works figures out again; every file is hashed, and every comparison done, once."""

    def __init__(self, root: Path, runs: Path) -> None:
        self._root = root
        self._runs = runs
        self._hash = cache(files.sha256_file)
        self._document: Callable[[Path], Any] = cache(_document)
        self._compared = cache(self._judged)

    def figure(self, figure: Figure) -> Figure:
        """The same figure, from its sources; a reported one as it is.

        Raises:
            Gone: a cited file is missing.
            Altered: one is another, or has nothing under the key that is cited.
        """
        source = figure.source
        if isinstance(source, Reported):
            return figure
        if isinstance(source, Derived):
            parts = [self.figure(part) for part in source.of]
            try:
                again = deriving.derived(source.formula, parts)
            except UsageError as error:
                raise Altered(error.problems) from error
            return again.model_copy(update={"digits": figure.digits})
        if isinstance(source, Cited):
            numbers = self._cited(source)
        else:
            numbers, called = self._difference(source)
            source = source.model_copy(update={"verdict": called})
        # What was measured was not counted, whatever a record says.
        said = dict(zip(("value", "low", "high"), numbers, strict=True))
        return figure.model_copy(update={"exact": False, "source": source, **said})

    def _cited(self, source: Cited) -> Numbers:
        base = self._root if source.run is None else self._runs
        path = self._checked(base / source.file, source.file, source.sha256)
        try:
            found: Any = self._document(path)
            for step in source.key:
                found = found[step]
        except (LookupError, TypeError) as error:
            raise Altered(f"{source.file}: has no {_way(source.key)}") from error
        except CtexpError as error:
            raise Altered(error.problems) from error
        if isinstance(found, dict):
            return _number(found.get("value")), _number(found.get("low")), _number(found.get("high"))
        return _number(found), None, None

    def _difference(self, source: Compared) -> tuple[Numbers, str]:
        """The difference with both ends of its interval, and what it is called."""
        for run, sha256 in sorted(source.files.items()):
            table = RunDir(self._runs / run).predictions(source.split)
            self._checked(table, f"{run}/{table.name}", sha256)
        try:
            judged = self._compared(
                source.baseline, source.candidate, source.split, source.family, source.alpha
            )
        except CtexpError as error:
            raise Altered([f"comparison: {problem}" for problem in error.problems]) from error
        effect = judged.metrics[source.metric]
        return (effect.difference, effect.low, effect.high), effect.verdict

    def _judged(
        self,
        baseline: Sequence[str],
        candidate: Sequence[str],
        split: str,
        family: Sequence[str],
        alpha: float,
    ) -> Any:
        from ctexp.evaluation import answers, comparison
        from ctexp.evaluation.verdicts.images import matched

        sides = [
            Subject(" ", " ", "name", tuple(RunDir(self._runs / run) for run in side))
            for side in (baseline, candidate)
        ]
        first, second = matched([answers.read(one, split) for one in sides], intersect=False).answers
        (judged,) = comparison.judge([comparison.pair(first.tables, second.tables, family)], alpha)
        return judged

    def _checked(self, path: Path, said: str, sha256: str) -> Path:
        try:
            if not path.is_file():
                raise Gone(f"{said}: missing")
            found = self._hash(path)
        except OSError as error:
            raise Gone(f"{said}: cannot be read ({error.strerror})") from error
        if found != sha256:
            raise Altered(f"{said}: SHA-256 is {found[:12]}, cited as {sha256[:12]}")
        return path


def equal(said: Figure, found: Figure) -> bool:
    """Whether a figure says what was worked out again.

    What stands in a file has to be the same; what was calculated may differ by rounding far behind the digits
    that anybody is told.
    """
    tolerance = 0.0 if isinstance(said.source, Cited) else _ROUNDING
    return (said.exact, verdict(said)) == (found.exact, verdict(found)) and all(
        (one is None and other is None)
        or (
            one is not None
            and other is not None
            and math.isclose(one, other, rel_tol=tolerance, abs_tol=tolerance)
        )
        for one, other in zip(
            (said.value, said.low, said.high), (found.value, found.low, found.high), strict=True
        )
    )


def verdict(figure: Figure) -> str:
    """What a comparison calls its candidate; empty for other figures."""
    return figure.source.verdict if isinstance(figure.source, Compared) else ""


def _document(path: Path) -> Any:
    if path.suffix in (".yaml", ".yml"):
        return yaml_file.read_mapping(path)
    return files.read_json(path)


def _number(value: Any) -> float | None:
    """A finite number; None for everything else, which no figure equals that has one."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    with suppress(OverflowError):  # an integer beyond all floats
        return float(value) if math.isfinite(value) else None
    return None


def _way(key: Sequence[Step]) -> str:
    return " → ".join(str(step) for step in key)
