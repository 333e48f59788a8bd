"""What a handler is given, without a process of its own; trainings of no time that leave whole records."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ctexp.config.compose import compose
from ctexp.core import files
from ctexp.record import git
from ctexp.record.git import GitState
from ctexp.record.manifest import Dataset
from ctexp.research.record import Basis
from ctexp.research.runner import ExperimentRunner
from ctexp.research.runner.order import Order
from ctexp.research.runner.stopping import Interruption
from tests import judged
from tests.record import samples

CATALOG = b"what is known of each image"


def order(root: Path, **changes: Any) -> Order:
    folder = root / "runs" / "research" / "noise_20261121-050417_abcdef"
    files.make_folder(folder)
    fields: dict[str, Any] = {
        "experiment": "noise",
        "sub": "spread",
        "root": str(root),
        "data": str(root / "data"),
        "runs": str(root / "runs"),
        "folder": str(folder),
        "basis": Basis(handler=samples.HASH, plan=samples.HASH),
        "git": GitState(commit=samples.COMMIT, branch="main", dirty=False),
        "command": "scripts/inv research-run --experiment-id noise --only spread",
    }
    return Order(**fields | changes)


class Nobody:
    """Follows nothing."""

    def log(self, values: Mapping[str, float | None], step: int) -> None: ...


class Said(list[str]):
    """Lines for people."""

    def __call__(self, line: str) -> None:
        self.append(line)


def runner(
    root: Path, trainer: "Trains | None" = None, said: Said | None = None, **changes: Any
) -> ExperimentRunner:
    """One of the handler `e_spread`."""
    return ExperimentRunner(
        order(root, **changes),
        "e_spread",
        trainer=trainer or Trains(root),
        follower=Nobody(),
        stop=changes.pop("stop", Interruption()),
        tell=said if said is not None else Said(),
    )


def dataset(root: Path, **changes: Any) -> Dataset:
    """The images that are there; others where the catalog has been changed."""
    file = root / "data" / "raw" / "phantom.parquet"
    if not file.exists():
        files.write_bytes(file, CATALOG)
    return judged.dataset(catalog_sha256=files.sha256_file(file), **changes)


class Ended:
    """A training that is over as soon as it has begun."""

    pid = 1

    def __init__(self, code: int) -> None:
        self._code = code

    def poll(self) -> int:
        return self._code

    def send_signal(self, signum: int) -> None:
        del signum


class Trains:
    """Makes a finished run of what is to be trained, whose skill is its learning rate.

    Attributes:
        begun: the words of each.
        ends: how the next ones end: states of runs, or exit codes of programs that refuse.
    """

    def __init__(self, root: Path, *ends: str | int) -> None:
        self._root = root
        self.begun: list[list[str]] = []
        self.environments: list[Mapping[str, str]] = []
        self.ends = list(ends)

    def start(
        self, words: Sequence[str], environment: Mapping[str, str], descriptors: Sequence[int], output: int
    ) -> Ended:
        self.begun.append(list(words))
        self.environments.append(environment)
        end = self.ends.pop(0) if self.ends else "finished"
        if isinstance(end, int):
            os.write(output, b"PreflightError: no GPU here -> plug one in\n")
            return Ended(end)
        overrides = [word for word in words if "=" in word]
        composed = compose(overrides, self._root)
        settings = composed.settings
        run = judged.a_run(
            self._root / "runs",
            settings.run.name or "",
            settings.seed,
            skill=settings.optimizer.lr * 1000,
            state=end,
            root=self._root,
            tags=tuple(settings.run.tags),
            config_sha256=composed.sha256,
            dataset=dataset(self._root),
            git=git.capture(self._root, [self._root / "data", self._root / "runs"]).state,
        )
        files.write_text(run.config, composed.yaml)
        os.write(descriptors[-1], json.dumps({"run": run.id}).encode() + b"\n")
        return Ended({"finished": 0, "diverged": 11, "interrupted": 143}[end])
