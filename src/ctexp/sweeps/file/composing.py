"""The configurations of a sweep's trials: composed and checked before the sweep exists, told apart after."""

import itertools
import json
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from random import Random

from ctexp.config.compose import Composed, Composer
from ctexp.core.errors import UsageError
from ctexp.core.files import sha256_bytes
from ctexp.sweeps.file.grid import cells
from ctexp.sweeps.file.sampled import at_quantile, ends
from ctexp.sweeps.file.spec import Spec
from ctexp.sweeps.file.words import common, key_of, words_of
from ctexp.sweeps.space import Parameter, Value, Values

_MOST = 600
"""Configurations that are composed before a sweep exists: a second or two."""

_MOST_WANTED = 4 * _MOST
"""Pairs of values that are looked for, since constraints may leave few of them."""

_TRIES = 64
"""Draws of the other parameters, until a value of one stands in a trial that no constraint forbids."""

_NO_MATTER = ("seed", "run", "git", "logger", "paths")
"""Parts of a configuration that all trials share, or that change nothing about what is learned."""


class Trials:
    """What the trials of a sweep are trained with.

    Args:
        root: the project's folder.
        spec: the sweep.
        overrides: of the command line, which all trials have in common.
    """

    def __init__(self, root: Path, spec: Spec, overrides: Sequence[str] = ()) -> None:
        self._composer = Composer(root)
        self._spec = spec
        self._given = tuple(overrides)

    def composed(self, values: Values) -> Composed:
        """The configuration of a trial's first training, but for its seed and name.

        Raises:
            UsageError: it does not compose; everything that is wrong, a line each.
        """
        return self._composer.compose(self._of_first(values))

    def identity(self, values: Values) -> str:
        """Tells trials apart by what they train: two that are equal in it would be the same run twice."""
        return _identity(self.composed(values))

    @cached_property
    def looked_at(self) -> list[Values]:
        """The trials that stand for all: every cell of a grid, else every value beside every other.

        Ranges are represented by their ends. The first is an ordinary one: the first value of everything.
        """
        if self._spec.method == "grid" and len(found := cells(self._spec.space)) <= _MOST:
            return found
        unlike: dict[str, Values] = {}
        for values in self._candidates():
            unlike.setdefault(json.dumps(values), values)
            if len(unlike) == _MOST:
                break
        return list(unlike.values())

    def problems(self) -> list[str]:
        """What is wrong with the trials, each once with its line; nothing where every one can be trained."""
        found: dict[str, int] = {}
        known: dict[str, Composed] = {}
        for values in self.looked_at:
            try:
                known[json.dumps(values)] = self.composed(values)
            except UsageError as error:
                for problem in error.problems:
                    line, said = self._placed(problem, values)
                    found[f"{self._spec.shown}:{line}: {said}" if line else said] = line
        if not self.looked_at:
            return [f"{self._spec.shown}:1: no values were found that all constraints hold of"]
        if not found:
            return list(self._idle(known))
        return sorted(found, key=lambda said: found[said])

    def words(self, values: Values) -> tuple[str, ...]:
        """The overrides that all trainings of a trial have in common: without their seed, fold and name."""
        return (*common(self._given), *self._spec.overrides, *words_of(values))

    def _of_first(self, values: Values) -> tuple[str, ...]:
        """Those of its first training, with the seed and name that were typed, which are checked too."""
        folds = ("data.split=kfold", "data.fold=0") if self._spec.folds else ()
        return (*self._given, *self._spec.overrides, *words_of(values), *folds)

    def _candidates(self) -> Iterator[Values]:
        """Every two values together, the rest ordinary, or drawn where a constraint wants it otherwise."""
        parameters = self._spec.space.parameters
        wanted = itertools.chain(
            [{}],
            ({one.key: value} for one in parameters for value in ends(one.dimension)),
            (
                {one.key: value, other.key: beside}
                for one, other in itertools.combinations(parameters, 2)
                for value, beside in itertools.product(ends(one.dimension), ends(other.dimension))
            ),
        )
        for pinned in itertools.islice(wanted, _MOST_WANTED):
            values = self._completed(pinned)
            if values is not None:
                yield values

    def _completed(self, pinned: Values) -> Values | None:
        """A trial with these values; None where none was found, or they do not apply."""
        rng = Random(json.dumps(pinned))
        for attempt in range(_TRIES):
            values: Values = {}
            for parameter in self._spec.space.parameters:
                if parameter.when is None or parameter.when.holds(values):
                    values[parameter.key] = _one(parameter, pinned, rng if attempt else None)
            if pinned.keys() <= values.keys() and all(c.holds(values) for c in self._spec.space.constraints):
                return values
        return None

    def _placed(self, problem: str, values: Values) -> tuple[int, str]:
        """The line that a problem is about, and what it says there; no line for what was typed."""
        spec = self._spec
        for parameter in spec.space.parameters:
            key = parameter.key
            if key in values and _speaks_of(problem, key):
                what = problem.removeprefix(f"{key}: ")
                if "does not belong to" in what:
                    what += "; say when it applies, under ctexp.conditions"
                return parameter.line, f"parameters.{key}: {what}"
        for word, line in spec.lines.items():
            if _speaks_of(problem, key_of(word)) or word in problem:
                return line, f"ctexp.overrides: {problem}"
        if any(_speaks_of(problem, key_of(word)) or word in problem for word in self._given):
            return 0, problem
        return 1, f"a trial with {' '.join(words_of(values))}: {problem}"

    def _idle(self, known: dict[str, Composed]) -> Iterator[str]:
        """Parameters of several values that change nothing about a training, whatever the others are."""
        identities = {values: _identity(composed) for values, composed in known.items()}
        for parameter in self._spec.space.parameters:
            alike: dict[str, dict[str, str]] = {}
            for said, identity in identities.items():
                values = json.loads(said)
                if parameter.key in values:
                    value = json.dumps(values.pop(parameter.key))
                    alike.setdefault(json.dumps(values), {})[value] = identity
            beside = [list(each.values()) for each in alike.values() if len(each) > 1]
            if beside and all(len(set(each)) == 1 for each in beside):
                yield (
                    f"{self._spec.shown}:{parameter.line}: parameters.{parameter.key}: "
                    "changes nothing: every value of it is the same training"
                )


def _one(parameter: Parameter, pinned: Values, rng: Random | None) -> Value:
    if parameter.key in pinned:
        return pinned[parameter.key]
    return ends(parameter.dimension)[0] if rng is None else at_quantile(parameter.dimension, rng.random())


def _identity(composed: Composed) -> str:
    resolved = {key: value for key, value in composed.resolved.items() if key not in _NO_MATTER}
    return sha256_bytes(json.dumps(resolved, sort_keys=True, separators=(",", ":")).encode())


def _speaks_of(problem: str, key: str) -> bool:
    """Whether a problem begins with a key, alone or in an override."""
    return re.match(rf"'?[+~]*{re.escape(key)}(?![\w.])", problem) is not None
