"""What trainings were set up with: those that differ by their seed alone are one recipe."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ctexp.core import files, yaml_file
from ctexp.core.dotted import flattened
from ctexp.core.errors import CtexpError
from ctexp.record.index import RunSummary
from ctexp.record.run_dir import RunDir
from ctexp.record.subjects import SEED_KEYS

Flat = dict[str, Any]

MINUTES = "trainer.max_minutes"
"""A limit of time, by which a night fits a training into what is left of it."""


def typed(run: RunDir) -> list[str]:
    """The overrides that a person typed for a run; none where they cannot be read."""
    try:
        found = yaml_file.parse(files.read_regular(run.overrides), str(run.overrides))
    except (OSError, CtexpError):
        return []
    return [str(word) for word in found] if isinstance(found, list) else []


class Configurations:
    """The configurations of runs, flat and without what leaves an experiment the same.

    Hundreds of configurations are a few dozen texts once those settings are left out, and each text is parsed
    once: to parse all of them would take ten times as long as to read them.

    Attributes:
        damaged: ids of runs whose configuration could not be read.
    """

    def __init__(self) -> None:
        self._parsed: dict[str, Flat | None] = {}
        self.damaged: list[str] = []

    def of(self, run: RunSummary) -> Flat | None:
        """The configuration of a run; None where it cannot be read."""
        file = RunDir(run.path).config
        try:
            text = _without_seed(files.read_regular(file).decode())
        except (OSError, ValueError):
            text = ""
        if text not in self._parsed:
            self._parsed[text] = _parse(text, str(file))
        if self._parsed[text] is None:
            self.damaged.append(run.id)
        return self._parsed[text]


class Identities:
    """Tells recipes apart.

    A limit of time that was not reached changed nothing and is no part of a recipe. One that was reached is:
    trainings it ended were trained less than others. What an older record lacks and a newer one has as null
    is the same.

    Args:
        reached: the configurations of trainings that a limit of time ended.
    """

    def __init__(self, reached: Iterable[Mapping[str, Any]]) -> None:
        self._reached = {_canonical(settings) for settings in reached}

    def of(self, settings: Flat) -> tuple[str, Flat]:
        """The same text for runs of one recipe, and what its settings are."""
        text = _canonical(settings)
        if text in self._reached or settings.get(MINUTES) is None:
            return text, settings
        free = settings | {MINUTES: None}
        return _canonical(free), free


def _parse(text: str, where: str) -> Flat | None:
    try:
        flat = flattened(yaml_file.parse_mapping(text.encode(), where)[0])
    except CtexpError:
        return None
    return {key: its for key, its in flat.items() if not key.startswith(SEED_KEYS)} or None


def _without_seed(text: str) -> str:
    """A configuration's text less the blocks that leave an experiment the same."""
    kept, keep = [], True
    for line in text.splitlines():
        if line[:1] not in ("", " ", "-", "#"):
            keep = not f"{line.partition(':')[0]}.".startswith(SEED_KEYS)
        if keep:
            kept.append(line)
    return "\n".join(kept)


def _canonical(settings: Mapping[str, Any]) -> str:
    told = {key: its for key, its in settings.items() if its is not None}
    return json.dumps(told, sort_keys=True, default=str)
