"""Sweeps without a file: what boards are tested with."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ctexp.record.sweep import Sweep, SweepDir
from ctexp.sweeps.board.dimensions import same
from ctexp.sweeps.board.opening import open_board
from ctexp.sweeps.board.shared import SharedBoard
from ctexp.sweeps.file.spec import Spec
from ctexp.sweeps.space import Choice, Parameter, Range, Space, Values
from ctexp.sweeps.trials import Taken, Told

SIX = Space((Parameter("a", Choice((1, 2, 3))), Parameter("b", Choice(("x", "y")))))
"""Six cells."""

WIDE = Space((Parameter("lr", Range(1e-4, 1e-1, log=True)), Parameter("k", Choice(("x", "y")))))
"""No end of values."""


def a_spec(space: Space = SIX, **changed: Any) -> Spec:
    """What a file asks for."""
    method = changed.pop("method", "grid")
    asked: dict[str, Any] = {
        "name": "s",
        "description": "",
        "method": method,
        "metric": "val/macro_f1",
        "goal": "maximize",
        "target": None,
        "space": space,
        "overrides": (),
        "seeds": None,
        "folds": None,
        "objective": "mean",
        "early": None,
        "sampler": "tpe" if method == "bayes" else "random",
        "run_cap": None,
        "budget_seconds": None,
        "backend": "optuna",
        "storage": None,
        "resources": {},
        "ignored": (),
        "raw": {},
        "sha256": "0" * 64,
    }
    return Spec(**asked | changed)


def a_sweep(place: SweepDir, spec: Spec, **changed: Any) -> Sweep:
    """The record of one."""
    asked: dict[str, Any] = {
        "id": place.id,
        "name": spec.name,
        "created": "2026-11-21T05:00:00.000Z",
        "command": "inv sweep",
        "file": "s.yaml",
        "file_sha256": spec.sha256,
        "overrides": (),
        "method": spec.method,
        "metric": spec.metric,
        "goal": spec.goal,
        "backend": spec.backend,
        "storage": spec.storage,
        "config_sha256": "0" * 64,
        "dataset": "tiny",
        "catalog_sha256": "0" * 64,
        "seed": 1,
        "budget_seconds": spec.budget_seconds,
    }
    return Sweep(**asked | changed)


@dataclass(frozen=True)
class Made:
    """A sweep that can be opened again and again, as each of its agents does."""

    place: SweepDir
    spec: Spec
    sweep: Sweep
    identity: Callable[[Values], str] = same

    def open(self, grace: float = 30.0) -> SharedBoard:
        """As an agent does."""
        return open_board(self.place, self.spec, self.sweep, self.identity, grace=grace)


def make(
    runs: Path, spec: Spec | None = None, identity: Callable[[Values], str] = same, **changed: Any
) -> Made:
    """A new sweep with its board."""
    place, spec = SweepDir.create(runs, "s"), spec or a_spec()
    sweep = a_sweep(place, spec, **changed)
    sweep.write(place.record)
    open_board(place, spec, sweep, identity, create=True).close()
    return Made(place, spec, sweep, identity)


def taken(board: SharedBoard, agent: str = "me") -> Taken:
    """The next trial, which has to be there."""
    found = board.take(agent)
    assert isinstance(found, Taken), found
    return found


def work(board: SharedBoard, value: Callable[[Values], float], agent: str = "me") -> list[Taken]:
    """Take and finish until nothing is left."""
    done = []
    while isinstance(found := board.take(agent), Taken):
        assert board.finish(found, Told("finished", value(found.values), seconds=1.0))
        done.append(found)
    return done
