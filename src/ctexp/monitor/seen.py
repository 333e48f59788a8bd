"""A run as the rules see it: everything they look at, read once, whatever state the record is in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ctexp.core import yaml_file
from ctexp.core.classes import CLASSES
from ctexp.core.dotted import flattened, nested
from ctexp.core.errors import CtexpError, noting
from ctexp.evaluation.health.facts import Facts
from ctexp.evaluation.predictions import Predictions
from ctexp.record import history
from ctexp.record.history import Row
from ctexp.record.manifest import Manifest
from ctexp.record.result import Result, State
from ctexp.record.run_dir import RunDir

_STEADY = {"model.dropout": 0, "model.stochastic_depth": 0, "averaging.name": "none"}


@dataclass(frozen=True, eq=False)
class Seen:
    """What is known of a run.

    Attributes:
        manifest: None where it cannot be read.
        result: None while it trains, and where nobody saw its end.
        config: flat, dotted key -> value; empty where it cannot be read.
        rows: its epochs.
        facts: None where configuration or manifest say too little.
        problems: what could not be read, one line each.
    """

    run: RunDir
    state: State
    manifest: Manifest | None
    result: Result | None
    config: Mapping[str, Any] = field(hash=False)
    rows: Sequence[Row] = field(hash=False)
    facts: Facts | None
    problems: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The run's id."""
        return self.run.id

    @property
    def audit(self) -> str:
        """The command that looks at its images."""
        name = self.manifest.dataset.name if self.manifest else "NAME"
        return f"scripts/inv data-audit --dataset {name}"

    @property
    def name(self) -> str:
        """`run.name`."""
        return self.manifest.name if self.manifest else self.id

    @property
    def trains(self) -> bool:
        """Whether it is at work now."""
        return self.state == "running"

    @cached_property
    def answers(self) -> Predictions | None:
        """What it said of each validation image; None where it was not measured, or the table is damaged."""
        try:
            return Predictions.read(self.run.predictions("val"))
        except CtexpError:
            return None

    @property
    def disturbed(self) -> bool:
        """Whether its training accuracy is of images, or of a network, made harder than validation's."""
        changes = {key: 0 for key in self.config if key.startswith("augment.")} | _STEADY
        return any(self.config.get(key, calm) not in (calm, None) for key, calm in changes.items())

    @property
    def shown(self) -> dict[str, float]:
        """The share of each class in what training shows."""
        counts = dict(zip(CLASSES, self.facts.counts["train"], strict=True)) if self.facts else {}
        if self.config.get("sampler.name") == "class_balanced":
            counts = {name: min(count, 1) for name, count in counts.items()}
        total = sum(counts.values())
        return {name: count / total for name, count in counts.items() if count}


def look(run: RunDir) -> Seen:
    """Read a run; damage is told in `problems`, never raised."""
    try:
        state, manifest, result, problems = run.read()
    except OSError as error:
        state, manifest, result = "unreadable", None, None
        problems = (f"{run.path}: cannot be read ({error.strerror})",)
    found = list(problems)
    rows = noting(found, history.read, run.history) or ()
    config = flattened(noting(found, yaml_file.read_mapping, run.config) or {})
    return Seen(run, state, manifest, result, config, rows, _facts(config, manifest), tuple(found))


def _facts(config: Mapping[str, Any], manifest: Manifest | None) -> Facts | None:
    if manifest is None or not config:
        return None
    try:
        facts = Facts.of(nested(config), manifest.dataset.rows)
    except (LookupError, AttributeError, TypeError, ValueError, ArithmeticError):
        return None  # a record of before there was such a setting, or a damaged one
    return facts if {"train", "val"} <= facts.counts.keys() else None
