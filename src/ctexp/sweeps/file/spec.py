"""What a sweep's file asks for, read and checked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ctexp.sweeps.space import Space
from ctexp.sweeps.trials import Row


@dataclass(frozen=True)
class Early:
    """When a trial that falls behind is ended, in epochs.

    Attributes:
        kind: `asha` (successive halving, what W&B calls hyperband), or `hyperband` (several brackets of it).
        min_epochs: no trial is ended before.
        factor: of the trials that reach a rung, one in so many goes on.
        max_epochs: where the last bracket ends; None for the epochs of the training.
        brackets: how many; 1 for asha.
    """

    kind: Literal["asha", "hyperband"]
    min_epochs: int
    factor: int
    max_epochs: int | None = None
    brackets: int = 1


@dataclass(frozen=True)
class Member:
    """One training of a trial.

    Attributes:
        label: `s42`, or `s42-f0` for a fold.
        words: overrides that set it apart.
    """

    label: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Spec:
    """What a sweep's file asks for.

    Attributes:
        name: of its runs and pages: the file's `name`, else its stem.
        metric: `val/<name>`.
        target: the objective's value at which the sweep is over; None for none.
        overrides: that all trials have in common, of the file.
        seeds: of every trial; None for that of the configuration.
        folds: how many folds of the committed kfold split every trial trains; None for no folds.
        objective: `mean` over the members, or `mean_minus_se`: the mean, worse by its standard error.
        sampler: of a `bayes` or `random` sweep.
        run_cap: trials at most; None for no end but the grid's, the budget's or the person's.
        resources: `cpus` and `gpus` of a trial on a cluster.
        ignored: lines about what of the file has no effect here, or hardly the one that was meant.
        raw: the file as W&B would take it.
        sha256: of the file's bytes.
        shown: what to call the file.
        lines: where each of `overrides` stands in it.
    """

    name: str
    description: str
    method: Literal["grid", "random", "bayes"]
    metric: str
    goal: Literal["maximize", "minimize"]
    target: float | None
    space: Space
    overrides: tuple[str, ...]
    seeds: tuple[int, ...] | None
    folds: int | None
    objective: Literal["mean", "mean_minus_se"]
    early: Early | None
    sampler: Literal["tpe", "gp", "random", "qmc"]
    run_cap: int | None
    budget_seconds: float | None
    backend: Literal["optuna", "wandb", "ray"]
    storage: str | None
    resources: Mapping[str, float]
    ignored: tuple[str, ...]
    raw: Mapping[str, Any]
    sha256: str
    shown: str = ""
    lines: Mapping[str, int] = field(default_factory=dict)

    def members(self, seed: int) -> tuple[Member, ...]:
        """The trainings of every trial, in order: one with each seed, or one for each fold with each seed.

        Args:
            seed: of the configuration, where the file names none.
        """
        return tuple(
            Member(f"s{one}", (f"seed={one}",))
            if fold is None
            else Member(f"s{one}-f{fold}", ("data.split=kfold", f"data.fold={fold}", f"seed={one}"))
            for one in self.seeds or (seed,)
            for fold in (range(self.folds) if self.folds else [None])
        )

    def ranked(self, rows: Iterable[Row]) -> list[Row]:
        """The finished trials, best first by the objective; of equal ones the earlier."""
        sign = -1.0 if self.goal == "maximize" else 1.0
        known = [
            (sign * row.value, row.number, row)
            for row in rows
            if row.state == "finished" and row.value is not None
        ]
        return [row for _, _, row in sorted(known, key=lambda its: its[:2])]
