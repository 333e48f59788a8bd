"""Jobs and lengths, as short as they can be said."""

from collections.abc import Mapping
from typing import Any

from ctexp.planning.packing.pack import Length
from ctexp.planning.plan.jobs import BaseRule, GateRule, Job


def experiment(
    name: str, seeds: int = 1, after: str = "", best_of: tuple[str, ...] = (), **fields: Any
) -> list[Job]:
    """Its jobs; `after` is what its gate looks at."""
    gate = GateRule(after, "val/macro_f1", ">=", 0.5) if after else None
    base = BaseRule(best_of, None) if best_of else None
    return [
        Job(f"{name}-s{seed}", name, seed, "train", (), (), (), gate=gate, base=base, **fields)
        for seed in range(1, seeds + 1)
    ]


def minutes(
    jobs: list[Job], of: Mapping[str, float | tuple[float, float] | None]
) -> dict[str, Length | None]:
    """By experiment: p50, or p50 and p90, in minutes; None where nobody knows."""
    found: dict[str, Length | None] = {}
    for job in jobs:
        said = of[job.experiment]
        p50, p90 = said if isinstance(said, tuple) else (said, said)
        found[job.id] = None if p50 is None or p90 is None else Length(60 * p50, 60 * p90)
    return found
