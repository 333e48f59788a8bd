"""A handler's trainings: looked up, gone on with, or begun, as many at once as there are slots."""

import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ctexp.config.compose import Composed, compose, load
from ctexp.core import names
from ctexp.core.errors import CriterionNotMet, CtexpError, DataError, UsageError
from ctexp.executors.trainers import Trainer
from ctexp.record import index
from ctexp.record.index import Query
from ctexp.record.manifest import Manifest
from ctexp.record.run_dir import RunDir
from ctexp.record.subjects import JUDGED
from ctexp.research.runner.order import Order
from ctexp.research.runner.runs import Trained
from ctexp.research.runner.source import Source
from ctexp.research.runner.stopping import Interruption
from ctexp.sweeps.agent.member import End, Training

_OURS = ("run.name", "run.tags", "seed", "paths.runs", "paths.data")
_NO_MATTER = ("run", "git", "logger", "paths")
"""Parts of a configuration that change nothing about what is learned."""

_NOT_OF_NAMES = re.compile(r"[^a-z0-9_-]+")
_KEY = re.compile(r"[+~]*([^=]+)")


class TrainingFailed(CriterionNotMet):
    """A training came to a bad end; the problem and the hint are its run's own."""


@dataclass(frozen=True)
class Wanted:
    """One training.

    Attributes:
        words: its overrides.
        composed: the configuration they amount to.
    """

    seed: int
    words: tuple[str, ...]
    composed: Composed

    @cached_property
    def learned(self) -> str:
        """Equal for trainings that learn the same, however they are called and watched."""
        return _of_learning(self.composed.resolved)


class Trainings:
    """Carries out what handlers want trained."""

    def __init__(
        self, order: Order, trainer: Trainer, stop: Interruption, tell: Callable[[str], None]
    ) -> None:
        self._order = order
        self._root = Path(order.root)
        self._runs = Path(order.runs)
        self._trainer = trainer
        self._stop = stop
        self._tell = tell

    def train(self, overrides: Sequence[str], name: str, seeds: Sequence[int]) -> Trained:
        """Train one experiment with several seeds.

        Raises:
            UsageError: the words are wrong; everything is told at once.
            TrainingFailed: a training came to a bad end; no further one was begun.
            CtexpError: what refuses to train here.
        """
        wanted = self._wanted(overrides, name, seeds)
        source = Source(self._root, [Path(self._order.data), self._runs])
        at_once, bad = min(self._order.slots, len(wanted)), threading.Event()

        def carried_out(one: Wanted) -> tuple[RunDir | None, End] | None:
            if bad.is_set() or self._stop.why:
                return None
            its = self._one(one, name, source)
            if its[1].state not in JUDGED:
                bad.set()
            return its

        with self._stop.held(), ThreadPoolExecutor(at_once) as pool:
            ends = list(pool.map(carried_out, wanted))
        for one, its in zip(wanted, ends, strict=True):
            if its is None:  # another one failed
                continue
            run, end = its
            if end.refusal is not None:
                raise _refused(end.refusal)
            if run is None or end.state not in JUDGED:
                raise self._failed(name, one, run, end)
        return Trained(self._name(name), tuple(its[0] for its in ends if its is not None and its[0]))

    def _wanted(self, overrides: Sequence[str], name: str, seeds: Sequence[int]) -> list[Wanted]:
        if isinstance(overrides, str):
            raise UsageError(f"train: a list of overrides is expected, got {overrides!r}", "put it in [ ]")
        its = [str(word) for word in overrides]
        problems = [
            f"train: {word!r}: {_key(word)} is set by the runner" for word in its if _key(word) in _OURS
        ]
        problems += [
            f"train: {word!r}: the test split stays sealed"
            for word in its
            if "test/" in word.partition("=")[2]
        ]
        if not seeds or len(set(seeds)) < len(seeds):
            problems.append(f"train: seeds={list(seeds)!r}: at least one is expected, and each once")
        if problems:
            raise UsageError(problems, "name= and seeds= say what differs; metrics are those of val")
        # Handlers put recipes together: of several words for one key the last counts.
        words = {_key(word): word for word in (*its, *self._order.basis.overrides)}.values()
        whose = [f"run.name={self._name(name)}", f"run.tags=[research,{_slug(self._order.experiment)}]"]
        wanted = []
        for seed in seeds:
            every = (*words, *whose, f"seed={int(seed)}")
            wanted.append(Wanted(int(seed), every, compose(every, self._root)))
        return wanted

    def _name(self, name: str) -> str:
        return names.check_id(
            f"{names_begin(self._order.experiment)}{name}", f"train: name={name!r} makes run.name"
        )

    def _one(self, wanted: Wanted, name: str, source: Source) -> tuple[RunDir | None, End]:
        """Train one seed; its run, and how it ended."""
        what = f"{name}, seed {wanted.seed}"
        known = self._known(wanted, source)
        found = known
        if known is not None and known.state() in JUDGED:
            self._tell(f"{what}: trained before, {known.id}")
            return known, End(known.state())
        if known is not None:
            self._tell(f"{what}: going on with {known.id}")

        def began(run: str) -> None:
            nonlocal found
            if found is None or found.id != run:
                self._tell(f"{what}: training {run}")
            found = RunDir(self._runs / run)

        end = Training(
            trainer=self._trainer,
            words=wanted.words,
            runs=self._runs,
            metric=wanted.composed.settings.trainer.monitor,
            variables=self._variables(),
            log=Path(self._order.folder) / f"{self._order.sub}-{name}-s{wanted.seed}.log",
            began=began,
            report=_goes_on,
            pulse=lambda: None,
            asked=self._stop,
        ).carry_out(known)
        if end.state is not None:
            self._tell(f"{what}: {end.state}" + (f", {end.problem}" if end.problem else ""))
        return found, end

    def _known(self, wanted: Wanted, source: Source) -> RunDir | None:
        """A run that is what is wanted: finished, whatever it is called, or broken off under this name."""
        query = Query(
            where={"seed": wanted.seed, "dataset": wanted.composed.settings.data.name, "parent": None},
            states=(*JUDGED, "interrupted"),
        )
        found = index.select(self._runs, query)
        for one in sorted(found, key=lambda run: run.state not in JUDGED):
            run = RunDir(Path(one.path))
            manifest = run.read().manifest
            if manifest is None or not source.made(manifest):
                continue
            if manifest.config_sha256 == wanted.composed.sha256 or (
                one.state in JUDGED and _learned(run, manifest) == wanted.learned
            ):
                return run
        return None

    def _variables(self) -> dict[str, str]:
        threads = {} if self._order.threads is None else {"OMP_NUM_THREADS": str(self._order.threads)}
        return {"CTEXP_ROOT": self._order.root, "CTEXP_PARENT": "", **threads}

    def _failed(self, name: str, wanted: Wanted, run: RunDir | None, end: End) -> TrainingFailed:
        result = run.read().result if run is not None else None
        whose = run.id if run is not None else f"{name}, seed {wanted.seed}"
        problem = f"{whose}: {end.state or 'not trained'}" + (f", {end.problem}" if end.problem else "")
        return TrainingFailed(problem, result.error.hint if result is not None and result.error else "")


def names_begin(experiment: str) -> str:
    """What the names of an experiment's runs begin with."""
    return f"{_slug(experiment)}-"


def _of_learning(resolved: Mapping[str, Any]) -> str:
    return json.dumps({key: its for key, its in resolved.items() if key not in _NO_MATTER}, sort_keys=True)


def _learned(run: RunDir, manifest: Manifest) -> str | None:
    """The same of a run; None where its configuration cannot be read."""
    try:
        return _of_learning(load(run.config, manifest.config_sha256).model_dump())
    except DataError:
        return None


def _refused(error: CtexpError) -> CtexpError:
    """A program's refusal, whose last line has the hint behind it."""
    problem, arrow, hint = str(error).partition(" -> ")
    return type(error)(problem, hint) if arrow else error


def _goes_on(epoch: int, value: float) -> bool:
    del epoch, value
    return False


def _key(word: str) -> str:
    """What an override sets."""
    match = _KEY.match(word)
    return match[1].partition("@")[0] if match else word


def _slug(experiment: str) -> str:
    """An experiment's id as a part of names of runs."""
    return _NOT_OF_NAMES.sub("-", experiment.lower())
