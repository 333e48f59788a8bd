"""What one parameter may be set to, as W&B's format says it.

The names and their meaning are those of
https://docs.wandb.ai/models/sweeps/sweep-config-keys#distribution-options-for-random-and-bayesian-search.
`log_uniform` has its bounds as exponents of e, `log_uniform_values` as they are. What is uniform in
log(1/X) is uniform in log X: `inv_log_uniform` differs in how its bounds are written only.
"""

import json
import math
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR
from typing import Any

from ctexp.core.names import did_you_mean
from ctexp.core.wording import joined
from ctexp.core.yaml_parts import Part, told
from ctexp.sweeps.file.sampled import ends, multiple
from ctexp.sweeps.space import Bell, Choice, Dimension, Range, Value

_SHAPES = {
    "constant": ("value",),
    "categorical": ("values",),
    "categorical_w_probabilities": ("values", "probabilities"),
    "uniform": ("min", "max"),
    "int_uniform": ("min", "max"),
    "q_uniform": ("min", "max", "q"),
    "log_uniform": ("min", "max"),
    "log_uniform_values": ("min", "max"),
    "q_log_uniform": ("min", "max", "q"),
    "q_log_uniform_values": ("min", "max", "q"),
    "inv_log_uniform": ("min", "max"),
    "inv_log_uniform_values": ("min", "max"),
    "normal": ("mu", "sigma"),
    "q_normal": ("mu", "sigma", "q"),
    "log_normal": ("mu", "sigma"),
    "q_log_normal": ("mu", "sigma", "q"),
}
"""The keys of each distribution, beside its name."""

KEYS = ("distribution", *dict.fromkeys(key for keys in _SHAPES.values() for key in keys))
"""Every key a parameter can have."""

_FAR = 2**53
"""Beyond it a number is not told from the next."""

_BOUNDS: dict[str, Callable[[float, float], tuple[float, float]]] = {
    "log_uniform": lambda low, high: (math.exp(low), math.exp(high)),
    "q_log_uniform": lambda low, high: (math.exp(low), math.exp(high)),
    "inv_log_uniform": lambda low, high: (math.exp(-high), math.exp(-low)),
}
"""The bounds that exponents stand for."""


def dimension(part: Part) -> Dimension | None:
    """What a parameter may be set to; None where that is wrong, and was noted."""
    name = _distribution(part)
    if name is None:
        return None
    part.only(*KEYS)
    for key in part.data:
        if key in KEYS and key not in ("distribution", *_SHAPES[name]):
            part.say(key, f"a parameter that is {name} has no {key}; it takes {joined(_SHAPES[name])}")
    if name == "constant":
        return _choice([part.data.get("value")], None, part, "value")
    if name.startswith("categorical"):
        return _categorical(part, weighted=name.endswith("probabilities"))
    if name.endswith("normal"):
        return _bell(part, name)
    return _range(part, name)


def _distribution(part: Part) -> str | None:
    """The distribution a parameter names, or the one that W&B takes where it names none."""
    said = part.data.get("distribution")
    if said is not None:
        if isinstance(said, str) and said in _SHAPES:
            return said
        if said in ("beta", "q_beta"):
            near = "W&B's documents do not describe it; use uniform, normal or values with probabilities"
        else:
            near = did_you_mean(str(said), _SHAPES) or f"it is one of {', '.join(_SHAPES)}"
            if _are_no_exponents(part.data.get("min"), part.data.get("max")):
                near = near.replace("log_uniform'", "log_uniform_values'")
        part.say("distribution", f"{told(said)} is no distribution; {near}")
        return None
    if "value" in part:
        return "constant"
    if "values" in part:
        return "categorical_w_probabilities" if "probabilities" in part else "categorical"
    if "min" in part and "max" in part:
        bounds = [part.data[key] for key in ("min", "max")]
        kinds = {type(bound) for bound in bounds}
        if kinds == {int, float}:
            low, high = map(float, bounds)
            part.say(
                "min",
                f"one bound is a whole number, the other not: write {low} and {high}, "
                "or distribution: uniform",
            )
            return None
        return "int_uniform" if kinds == {int} else "uniform"
    if "mu" in part or "sigma" in part:
        part.say("distribution", "missing; choose one of: normal, log_normal, q_normal, q_log_normal")
        return None
    unknown = [key for key in part.data if key not in KEYS]
    part.only(*KEYS)
    if not unknown:
        lacks = next(
            (key for key in ("min", "max") if ("min" in part or "max" in part) and key not in part), ""
        )
        missing = f"{lacks} is missing" if lacks else "nothing says what it may be"
        part.mistakes.say(part.place, f"{missing}: value, values, or min and max")
    return None


def _categorical(part: Part, *, weighted: bool) -> Choice | None:
    values = part.sequence("values")
    if values is None:
        if "values" not in part:
            part.say("values", "missing")
        return None
    if not weighted:
        return _choice(values, None, part, "values")
    said = part.sequence("probabilities") or []
    if "probabilities" not in part:
        part.say("probabilities", "missing")
    fit = all(isinstance(one, int | float) and not isinstance(one, bool) and one >= 0 for one in said)
    if len(said) != len(values) and said:
        part.say("probabilities", f"{len(said)} of them for {len(values)} values")
    elif not fit:
        part.say("probabilities", "each is a number of at least 0")
    elif said and not math.isclose(sum(said), 1.0, abs_tol=1e-6):
        part.say("probabilities", f"they add up to {sum(said):g}, not to 1")
    elif said:
        return _choice(values, [one / sum(said) for one in said], part, "values")
    return None


def _choice(values: list[Any], weights: list[float] | None, part: Part, key: str) -> Choice | None:
    """A choice of each distinct value; one that is given twice is as likely as both together."""
    nested = [value for value in values if not _is_plain(value)]
    if nested:
        part.say(key, f"{told(nested[0])}: a value is a text, a number, true, false, null or a list of these")
        return None
    distinct: dict[str, Value] = {}
    weight: dict[str, float] = {}
    for number, value in enumerate(values):
        known = json.dumps(value)
        distinct.setdefault(known, value)
        weight[known] = weight.get(known, 0.0) + (weights[number] if weights else 0.0)
    kept = [known for known in distinct if weights is None or weight[known] > 0]
    return Choice(
        tuple(distinct[known] for known in kept),
        tuple(weight[known] for known in kept) if weights else None,
    )


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(_is_plain(one) for one in value)
    return not isinstance(value, dict)


def _range(part: Part, name: str) -> Range | Choice | None:
    low, high = (_bound(part, key, name) for key in ("min", "max"))
    step = _step(part, name)
    if low is None or high is None or (step is None and name.startswith("q_")):
        return None
    if low > high:
        part.say("min", f"{told(low)} is above max, {told(high)}")
        return None
    log = "log" in name
    plain = f"{name}_values takes bounds as they are"
    try:
        first, last = _BOUNDS[name](low, high) if name in _BOUNDS else (float(low), float(high))
    except OverflowError:
        said = f"{name} has exponents of e as its bounds, and e to the {high} is no number any more; {plain}"
        part.say("max", said)
        return None
    if name in _BOUNDS and _are_no_exponents(low, high):
        part.mistakes.note(
            part.place,
            f"{name} has exponents of e as its bounds: this means {first:.5g} to {last:.5g}; {plain}",
        )
    if log and first <= 0:
        least = "is below what a number can be" if name in _BOUNDS else "has no logarithm"
        part.say("min", f"{told(low)} {least}; {name} begins above 0")
        return None
    if step is not None:
        # Multiples of the step only, so that a board that counts steps from the low end meets the same.
        first = multiple(first, step, ROUND_CEILING) or 0.0  # not -0.0
        last = multiple(last, step, ROUND_FLOOR)
        if first > last:
            part.say("q", f"no multiple of {step:g} is between min and max")
            return None
        if (last - first) / step > _FAR:
            part.say("q", f"no number from min to max is exact to {step:g}")
            return None
    if not math.isfinite(last - first):
        part.say("max", "no number is as large as what lies between min and max")
        return None
    integer = name == "int_uniform" or (step is not None and float(step).is_integer())
    if first == last:
        return Choice((int(first) if integer else first,))
    return Range(int(first) if integer else first, int(last) if integer else last, log, step, integer)


def _are_no_exponents(low: Any, high: Any) -> bool:
    """Whether bounds look like those of a number itself: positive ones, small or more than a decade apart."""
    known = all(isinstance(bound, int | float) and not isinstance(bound, bool) for bound in (low, high))
    return known and 0 < low < high and (high < 1 or high > 10 * low)


def _bound(part: Part, key: str, name: str) -> float | None:
    found = part.whole(key, least=-_FAR, most=_FAR) if name == "int_uniform" else part.number(key)
    if key not in part:
        part.say(key, "missing")
    return found


def _step(part: Part, name: str) -> float | None:
    """What a quantised distribution is rounded to; None for the others."""
    if not name.startswith("q_"):
        return None
    return part.number("q", above=0) if "q" in part else 1.0


def _bell(part: Part, name: str) -> Bell | None:
    mean = part.number("mu") if "mu" in part else 0.0
    sd = part.number("sigma", above=0) if "sigma" in part else 1.0
    step = _step(part, name)
    if mean is None or sd is None or (step is None and name.startswith("q_")):
        return None
    bell = Bell(mean, sd, "log" in name, step, step is not None and float(step).is_integer())
    try:
        reached = all(isinstance(value, int | float) and math.isfinite(value) for value in ends(bell))
    except ArithmeticError:
        reached = False
    if not reached:
        part.mistakes.say(part.place, f"{name} with mu {mean:g} and sigma {sd:g} reaches beyond all numbers")
        return None
    return bell
