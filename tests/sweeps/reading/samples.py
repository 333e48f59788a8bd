"""Sweeps that no agent worked on: whole records around trials a test makes up."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from ctexp.core import clock
from ctexp.record.sweep import Sweep, SweepDir
from ctexp.sweeps.file.load import load
from ctexp.sweeps.reading.opened import Opened
from ctexp.sweeps.space import Choice, Parameter, Range, Values
from ctexp.sweeps.trials import Row
from tests import judged
from tests.record import samples

FILE = """\
method: bayes
metric: {name: val/macro_f1, goal: maximize}
parameters:
  optimizer.lr: {distribution: log_uniform_values, min: 1e-5, max: 1e-2}
  optimizer.weight_decay: {min: 0.0, max: 0.1}
  loss: {values: [cross_entropy, focal, class_balanced]}
early_terminate: {type: hyperband, min_iter: 3}
run_cap: 40
ctexp:
  overrides: [model=tiny_cnn]
  seeds: [42, 43, 44]
"""

BEGIN = datetime.fromisoformat("2026-11-20T20:00:00Z")


def a_sweep(runs: Path, rows: Sequence[Row] = (), file: str = FILE) -> Opened:
    """A sweep by a file, with these trials."""
    place = SweepDir.create(runs, "lr_wd")
    place.file.write_text(file)
    spec = load(place.file, "conf/sweep/lr_wd.yaml")
    sweep = Sweep(
        id=place.id,
        name="lr_wd",
        created=samples.BEGIN,
        command="scripts/inv sweep --config lr_wd data=phantom",
        file="conf/sweep/lr_wd.yaml",
        file_sha256=spec.sha256,
        overrides=("data=phantom",),
        method=spec.method,
        metric=spec.metric,
        goal=spec.goal,
        backend=spec.backend,
        storage=spec.storage,
        config_sha256=samples.HASH,
        dataset="phantom",
        catalog_sha256=samples.HASH,
        seed=42,
    )
    sweep.write(place.record)
    return Opened(place, runs, sweep, spec, tuple(rows))


def a_trial(number: int, values: Values, value: float | None, **changes: Any) -> Row:
    """A finished trial without runs."""
    return replace(Row(number, "finished", values, 1, value, value), **changes)


def trained(
    runs: Path, number: int, values: Values, skill: float, seeds: Sequence[int] = (42, 43, 44)
) -> Row:
    """A finished trial whose runs are there, with predictions of some skill; seeds differ in their luck."""
    found, scores = {}, []
    for seed in seeds:
        run = judged.a_run(
            runs,
            f"lr_wd-t{number}",
            seed,
            tables={"val": judged.predictions(80, skill, 1000 * number + seed)},
        )
        result = run.read().result
        assert result is not None
        found[f"s{seed}"] = run.id
        scores.append(result.metrics["val/macro_f1"].value or 0.0)
    mean = float(np.mean(scores))
    error = float(np.std(scores, ddof=1) / len(scores) ** 0.5) if len(scores) > 1 else None
    return a_trial(number, values, mean, error=error, runs=found)


def searched(
    opened: Opened, trials: int, worth: Callable[[Values], float], noise: float, seed: int = 0
) -> list[Row]:
    """Trials drawn at random from a space of ranges and choices; every fifth is pruned, every 13th fails."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(trials):
        values: Values = {one.key: _drawn(one, rng) for one in opened.spec.space.parameters}
        value = worth(values) + noise * float(rng.normal())
        began = BEGIN + timedelta(minutes=2 * (number // 2), seconds=7 * (number % 2))
        seconds = 70 + 40 * float(rng.random())
        curve = tuple((epoch, value * (1 - 0.7**epoch)) for epoch in range(1, 9))
        state, problem = "finished", ""
        if number % 5 == 4:
            state, curve, seconds = "pruned", curve[: 2 + number % 3], seconds / 3
        if number % 13 == 12:
            state, problem, curve = "failed", "the loss is not finite in epoch 2", ()
        rows.append(
            Row(
                number,
                state,  # type: ignore[arg-type]
                values,
                1,
                value=value if state == "finished" else None,
                mean=value if state == "finished" else None,
                error=noise if state == "finished" else None,
                agent=f"agent-{number % 2}",
                problem=problem,
                curve=curve,
                seconds=seconds,
                began=clock.iso(began),
                ended=clock.iso(began + timedelta(seconds=seconds)),
            )
        )
    return rows


def _drawn(one: Parameter, rng: np.random.Generator) -> Any:
    its = one.dimension
    if isinstance(its, Choice):
        return its.values[int(rng.integers(len(its.values)))]
    assert isinstance(its, Range)
    if its.log:
        return float(np.exp(rng.uniform(np.log(its.low), np.log(its.high))))
    return float(rng.uniform(its.low, its.high))
