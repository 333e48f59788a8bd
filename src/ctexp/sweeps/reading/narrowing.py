"""A narrower space around the best few trials of a sweep."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ctexp.core.errors import DataError
from ctexp.core.wording import many
from ctexp.sweeps.file.sampled import shortened
from ctexp.sweeps.reading.opened import Opened, number
from ctexp.sweeps.reading.standing import expected_luck, pooled_error
from ctexp.sweeps.space import Bell, Choice, Dimension, Parameter, Range, Value
from ctexp.sweeps.trials import Row

FEWEST = 5
"""Finished trials below which nothing says where the optimum lies."""

_BEST = 3  # at least so many are among the best
_SHARE = 0.2  # of the finished trials
_MARGIN = 0.125  # of the old range, on both sides of the best: what is left is at least a quarter of it
_EDGE = 0.05  # of the old range: so near to its end the optimum may lie beyond
_SPREAD = 0.9  # of the old range: best trials so far apart say nothing about where to look
_DIGITS = 3  # of a bound, or of what lies between bounds: more would claim what no trial told
_MAGNITUDE = 10.0  # from here on numbers are looked at on the scale of their logarithm


@dataclass(frozen=True)
class Narrowed:
    """What has become of one parameter.

    Attributes:
        before: as it was.
        after: as it is now; the same where the best trials say nothing.
        why: one line, without a full stop.
        edge: which end of the old space the best trial lies at; empty for neither.
    """

    before: Parameter
    after: Dimension
    why: str
    edge: str = ""

    @property
    def changed(self) -> bool:
        """Whether it is another."""
        return self.after != self.before.dimension


def best_few(opened: Opened) -> tuple[Row, ...]:
    """The best fifth, three at least, and what seeds alone may have put behind the best; half at most.

    The best is in front by its luck too, as far as seeds say how much that is; see `standing`. Those that are
    as good as the last of them belong to them: which came first says nothing.

    Raises:
        DataError: too few trials have finished.
    """
    rows = opened.ranked
    if len(rows) < FEWEST:
        over = opened.progress is not None and opened.progress.ended is not None
        go_on = f"let agents go on: scripts/inv sweep-agent --sweep-id {opened.sweep.id}"
        raise DataError(
            f"{opened.sweep.id}: {many(len(rows), 'finished trial')} of the {FEWEST} that it takes to "
            "say where the optimum lies",
            "make a larger sweep: it is over" if over else go_on,
        )
    reach = (expected_luck(opened) or 0.0) + math.sqrt(2) * (pooled_error(rows) or 0.0)
    best = number(rows[0].value)
    alike = sum(abs(number(row.value) - best) <= reach for row in rows)
    few = max(_BEST, math.ceil(_SHARE * len(rows)))
    count = max(_BEST, min(max(few, alike), math.ceil(len(rows) / 2)))
    tied = sum(row.value == rows[count - 1].value for row in rows[count:])
    return rows[: count + tied]


def narrowed(opened: Opened, best: Sequence[Row]) -> tuple[Narrowed, ...]:
    """Every parameter, in the order of the file.

    Args:
        opened: the sweep.
        best: see `best_few`, best first.
    """
    return tuple(_narrowed(opened, one, best) for one in opened.spec.space.parameters)


def _narrowed(opened: Opened, one: Parameter, best: Sequence[Row]) -> Narrowed:
    seen = [row.values[one.key] for row in best if one.key in row.values]
    tried = [row.values[one.key] for row in opened.ranked if one.key in row.values]
    its = one.dimension
    if isinstance(its, Choice) and len(its.values) == 1:
        return Narrowed(one, its, "a constant")
    if len(seen) < 2:
        return Narrowed(one, its, f"applies to {len(seen)} of the best trials: as before")
    if isinstance(its, Choice):
        numbers = [number(value) for value in its.values if isinstance(value, int | float)]
        ordered = len(numbers) == len(its.values) > 2 and not any(isinstance(v, bool) for v in its.values)
        if opened.spec.method == "grid" and ordered:
            return _finer(one, its, sorted(numbers), [number(value) for value in seen])
        return _kept(one, its, seen, tried)
    if isinstance(its, Bell):
        return _around(one, its, [number(value) for value in seen])
    return _between(one, its, [number(value) for value in seen], [number(value) for value in tried])


def _kept(one: Parameter, its: Choice, seen: Sequence[Value], tried: Sequence[Value]) -> Narrowed:
    """The choices that are among the best, and those of which no trial says anything."""
    places = [place for place, value in enumerate(its.values) if value in seen or value not in tried]
    if len(places) == len(its.values):
        return Narrowed(one, its, "every choice that was tried is among the best")
    values = tuple(its.values[place] for place in places)
    weights = None
    if its.weights and len(places) > 1:
        whole = sum(its.weights[place] for place in places)
        weights = tuple(its.weights[place] / whole for place in places)
    gone = ", ".join(str(value) for value in its.values if value not in values)
    return Narrowed(one, Choice(values, weights), f"not among the best: {gone}")


def _finer(one: Parameter, its: Choice, numbers: list[float], seen: Sequence[float]) -> Narrowed:
    """What is among the best of a grid, and what lies halfway to their neighbours and between them."""
    places = [numbers.index(value) for value in seen]
    first, last = min(places), max(places)
    edge = "lowest" if places[0] == 0 else "highest" if places[0] == len(numbers) - 1 else ""
    if last - first == len(numbers) - 1:
        return Narrowed(one, its, "the best are spread over all of it", edge)
    around = numbers[max(0, first - 1) : last + 2]
    log = numbers[0] > 0 and numbers[-1] >= _MAGNITUDE * numbers[0]
    between = [math.sqrt(a * b) if log else (a + b) / 2 for a, b in pairwise(around)]
    whole = all(isinstance(value, int) for value in its.values)
    width = around[-1] - around[0]
    finer = [round(value) if whole else shortened(value, width, _DIGITS) for value in between]
    values = tuple(sorted({*numbers[first : last + 1], *finer}))
    after = Choice(tuple(int(value) for value in values) if whole else values)
    told = " to ".join(dict.fromkeys(f"{numbers[place]:g}" for place in (first, last)))
    return Narrowed(one, after, f"around the best, {told}, halfway to their neighbours", edge)


def _between(one: Parameter, its: Range, seen: Sequence[float], tried: Sequence[float]) -> Narrowed:
    """From the lowest to the highest of the best, and a margin; cut only where worse trials lie beyond."""
    low, high = _scaled(its.low, its.log), _scaled(its.high, its.log)
    whole = high - low
    places = [_scaled(value, its.log) for value in seen]
    start = max(low, min(places) - _MARGIN * whole) if min(tried) < min(seen) else low
    end = min(high, max(places) + _MARGIN * whole) if max(tried) > max(seen) else high
    edge = "lowest" if places[0] - low < _EDGE * whole else ""
    edge = "highest" if high - places[0] < _EDGE * whole else edge
    if end - start >= _SPREAD * whole:
        return Narrowed(one, its, "the best are spread over all of it", edge)
    bounds = [_unscaled(start, its.log), _unscaled(end, its.log)]
    if its.integer or its.step:
        step = its.step or 1
        bounds = [math.floor(bounds[0] / step + 1e-9) * step, math.ceil(bounds[1] / step - 1e-9) * step]
        bounds = [int(bound) if its.integer else float(f"{bound:.12g}") for bound in bounds]
    else:
        bounds = [shortened(bound, bounds[1] - bounds[0], _DIGITS) for bound in bounds]
    bounds = [max(its.low, bounds[0]), min(its.high, bounds[1])]
    after = replace(its, low=bounds[0], high=bounds[1])
    return Narrowed(one, after, f"the best lie from {min(seen):.3g} to {max(seen):.3g}", edge)


def _around(one: Parameter, its: Bell, seen: Sequence[float]) -> Narrowed:
    """As far around the mean of the best as they spread, half as far as before at least, never further."""
    places = [_scaled(value, its.log) for value in seen]
    mean = sum(places) / len(places)
    spread = math.sqrt(sum((place - mean) ** 2 for place in places) / (len(places) - 1))
    sd = min(its.sd, max(spread, its.sd / 2))
    after = replace(its, mean=shortened(mean, sd, _DIGITS), sd=shortened(sd, sd, _DIGITS))
    return Narrowed(one, after, f"the best lie from {min(seen):.3g} to {max(seen):.3g}")


def _scaled(value: float, log: bool) -> float:
    return math.log(value) if log else value


def _unscaled(value: float, log: bool) -> float:
    return math.exp(value) if log else value
