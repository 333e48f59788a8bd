"""What W&B's format lacks, under the one key `ctexp`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import parse_qs, urlsplit

from ctexp.core import durations
from ctexp.core.errors import UsageError
from ctexp.core.yaml_parts import Part, told
from ctexp.sweeps.file.words import key_of

KEYS = (
    "overrides",
    "constraints",
    "conditions",
    "seeds",
    "folds",
    "objective",
    "budget",
    "sampler",
    "early",
    "backend",
    "storage",
    "resources",
)

Sampler = Literal["tpe", "gp", "random", "qmc"]
Backend = Literal["optuna", "wandb", "ray"]
Objective = Literal["mean", "mean_minus_se"]

_SAMPLERS: tuple[Sampler, ...] = get_args(Sampler)


@dataclass(frozen=True)
class Additions:
    """See `spec.Spec`, less what is searched and when trials are ended.

    Attributes:
        lines: where each of `overrides` stands.
    """

    overrides: tuple[str, ...]
    lines: dict[str, int]
    seeds: tuple[int, ...] | None
    folds: int | None
    objective: Objective
    budget_seconds: float | None
    sampler: Sampler
    backend: Backend
    storage: str | None
    resources: dict[str, float]


def additions(part: Part, method: str, seed: int | None, given: Sequence[str]) -> Additions:
    """Read them.

    Args:
        part: the section of the file.
        method: of the sweep.
        seed: the file's parameter of that name, where it is one value.
        given: overrides of the command line, which win over those of the file.
    """
    part.only(*KEYS)
    seeds = _seeds(part) if "seeds" in part or seed is None else (seed,)
    if "seeds" in part and seed is not None:
        part.say("seeds", "parameters.seed says it too; keep one")
    folds = part.whole("folds", least=2, most=100)
    objective: Objective = part.one_of("objective", get_args(Objective), "mean")
    if objective != "mean" and len(seeds or ()) * (folds or 1) < 2:
        part.say("objective", "a standard error needs two trainings a trial: give seeds or folds")
    overrides = _overrides(part, folds, given)
    return Additions(
        overrides=tuple(overrides),
        lines=overrides,
        seeds=seeds,
        folds=folds,
        objective=objective,
        budget_seconds=_budget(part),
        sampler=_sampler(part, method),
        backend=_backend(part),
        storage=_storage(part),
        resources=_resources(part),
    )


def _overrides(part: Part, folds: int | None, given: Sequence[str]) -> dict[str, int]:
    """The overrides that stand in the file, with their lines, less those that the command line sets again."""
    again = {key_of(word) for word in given}
    found: dict[str, int] = {}
    for place, said in part.texts("overrides"):
        key = key_of(said)
        if key in ("run.name", "seed"):
            other = "name" if key == "run.name" else "ctexp.seeds"
            part.mistakes.say(place, f"{key} is said by {other}")
        elif folds is not None and key in ("data.split", "data.fold"):
            part.mistakes.say(place, f"{key} is said by ctexp.folds")
        elif said in found:
            part.mistakes.say(place, f"{said} is given twice")
        elif key not in again:
            found[said] = part.mistakes.line(place)
    return found


def _seeds(part: Part) -> tuple[int, ...] | None:
    found: list[int] = []
    for number, said in enumerate(part.sequence("seeds") or ()):
        place = (*part.place, "seeds", number)
        if not isinstance(said, int) or isinstance(said, bool) or not 0 <= said < 2**32:
            part.mistakes.say(place, f"expected a whole number from 0 to {2**32 - 1}, got {told(said)}")
        elif said in found:
            part.mistakes.say(place, f"{said} is given twice")
        else:
            found.append(said)
    return tuple(found) or None


def _budget(part: Part) -> float | None:
    said = part.data.get("budget")
    if said is None:
        return None
    try:
        seconds = durations.seconds(str(said))
    except UsageError as error:
        part.say("budget", f"{error}; {error.hint}")
        return None
    if not seconds:
        part.say("budget", f"{said!r} is no time at all")
    return seconds


def _sampler(part: Part, method: str) -> Sampler:
    """How trials are drawn: what is named, else the first of those that fit the method."""
    fitting: dict[str, tuple[Sampler, ...]] = {"bayes": ("tpe", "gp"), "random": ("random", "qmc")}
    options = fitting.get(method, ("random",))
    if method == "grid" and "sampler" in part:
        part.say("sampler", "a grid has none")
        return "random"
    if part.data.get("sampler") in _SAMPLERS and part.data["sampler"] not in options:
        part.say("sampler", f"method {method} has {' or '.join(options)}, not {part.data['sampler']}")
        return options[0]
    return part.one_of("sampler", options, options[0])


def _backend(part: Part) -> Backend:
    backend: Backend = part.one_of("backend", get_args(Backend), "optuna")
    if backend == "wandb":
        for key in ("constraints", "conditions", "sampler", "early", "storage"):
            if key in part:
                part.say(key, "W&B draws the trials and knows nothing of it; take another backend")
    if backend != "ray" and "resources" in part:
        part.say("resources", f"are of backend ray, not {backend}")
    return backend


def _storage(part: Part) -> str | None:
    said = part.text("storage") or None
    if said is not None:
        problem = storage_problem(said)
        if problem:
            part.say("storage", problem)
            return None
    return said


def storage_problem(url: str) -> str:
    """Why a database cannot keep the trials; empty where it can."""
    # Not a word of it is repeated: it may hold a password.
    if re.match(r"postgresql(\+psycopg)?://", url) is None:
        return "expected postgresql://user@host/database, or nothing for a file of the sweep's own"
    try:
        parts = urlsplit(url)
        secret = parts.password is not None or "password" in parse_qs(parts.query)
    except ValueError:
        return "cannot be read as postgresql://user@host/database"
    if secret:
        return "holds a password, which would be recorded; put it into ~/.pgpass or PGPASSWORD"
    return ""


def _resources(part: Part) -> dict[str, float]:
    """What a trial takes on a cluster."""
    own = part.part("resources")
    own.only("cpus", "gpus")
    read = {key: own.number(key, least=0) for key in ("cpus", "gpus")}
    return {key: number for key, number in read.items() if number is not None}
