"""Sweeps of a few lines, and a board in the memory of one process."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ctexp.record.sweep import Sweep, SweepDir
from ctexp.sweeps.agent.stopping import Stops
from ctexp.sweeps.agent.trial import Bench
from ctexp.sweeps.file.spec import Spec
from ctexp.sweeps.file.words import words_of
from ctexp.sweeps.space import Choice, Parameter, Space, Values
from ctexp.sweeps.trials import Over, Row, Taken, Told, Wait
from tests.record.samples import HASH
from tests.sweeps.agent.stub import Stub


def spec(**changes: Any) -> Spec:
    fields: dict[str, Any] = {
        "name": "tiny",
        "description": "",
        "method": "grid",
        "metric": "val/macro_f1",
        "goal": "maximize",
        "target": None,
        "space": Space((Parameter("lr", Choice((0.1, 0.2, 0.3))),)),
        "overrides": (),
        "seeds": None,
        "folds": None,
        "objective": "mean",
        "early": None,
        "sampler": "tpe",
        "run_cap": None,
        "budget_seconds": None,
        "backend": "optuna",
        "storage": None,
        "resources": {},
        "ignored": (),
        "raw": {},
        "sha256": HASH,
    }
    return Spec(**fields | changes)


def sweep(place: SweepDir, its: Spec) -> Sweep:
    return Sweep(
        id=place.id,
        name=its.name,
        created="2026-11-21T05:04:17.123Z",
        command="scripts/inv sweep --config tiny",
        file="tiny",
        file_sha256=HASH,
        overrides=(),
        method=its.method,
        metric=its.metric,
        goal=its.goal,
        backend=its.backend,
        config_sha256=HASH,
        dataset="tiny",
        catalog_sha256=HASH,
        seed=42,
    )


def bench(root: Path, its: Spec | None = None, stops: Stops | None = None, trainer: Any = None) -> Bench:
    """A bench in an empty folder, with the stub for a trainer."""
    its = its or spec()
    runs = root / "runs"
    found = sorted((runs / "sweeps").glob("tiny_*"))
    place = SweepDir(found[0]) if found else SweepDir.create(runs, "tiny")
    return Bench(
        root=root,
        runs=runs,
        place=place,
        spec=its,
        sweep=sweep(place, its),
        words=words_of,
        trainer=trainer or Stub(runs),
        asked=stops or Stops(),
    )


class Memory:
    """A board for one agent.

    Args:
        trials: their values.
        behind: told (number, epoch, value): whether to prune.

    Attributes:
        told: what came of each, in order.
        given: what was given back, and why.
        curves: what was reported, by number.
        runs: by number and label.
        beats: how many.
    """

    def __init__(self, trials: Sequence[Values], behind: Any = None) -> None:
        self._waiting = [Taken(number, number, 1, values) for number, values in enumerate(trials)]
        self._behind = behind
        self.told: list[tuple[int, Told]] = []
        self.given: list[tuple[int, str]] = []
        self.curves: dict[int, list[tuple[int, float]]] = {}
        self.runs: dict[int, dict[str, str]] = {}
        self.beats = 0

    def take(self, agent: str) -> Taken | Wait | Over:
        del agent
        return self._waiting.pop(0) if self._waiting else Over("the grid is done")

    def beat(self, taken: Taken) -> bool:
        del taken
        self.beats += 1
        return True

    def began(self, taken: Taken, member: str, run: str) -> None:
        self.runs.setdefault(taken.number, {})[member] = run

    def report(self, taken: Taken, epoch: int, value: float) -> bool:
        self.curves.setdefault(taken.number, []).append((epoch, value))
        return self._behind is not None and bool(self._behind(taken.number, epoch, value))

    def finish(self, taken: Taken, told: Told) -> bool:
        self.told.append((taken.number, told))
        return True

    def give_back(self, taken: Taken, why: str, *, retry: bool = True, seconds: float = 0.0) -> None:
        del retry
        self.given.append((taken.number, why))
        if taken.attempt < 3:
            again = Taken(
                100 + taken.key,
                taken.number,
                taken.attempt + 1,
                taken.values,
                self.runs.get(taken.number, {}),
                seconds,
            )
            self._waiting.append(again)

    def rows(self) -> list[Row]:
        return [Row(number, told.state, {}, 1, told.value) for number, told in self.told]
