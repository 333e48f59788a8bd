"""Pretrained weights are on disk before the night, not fetched at three in the morning: found, hashed, known.

A child process finds them, since only timm knows which file a network's weights are. Its answers are kept
in `runs/weights.json` and hold as long as the file has the size and time of change that it had: to ask again
is quick.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from ctexp.core import files
from ctexp.core.errors import DataError
from ctexp.planning.checking.checked import CheckedJob

SCHEMA_VERSION = 1
_FILE = "weights.json"
_PLACES = ("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME")
"""Variables that say where fetched weights are."""

Key = tuple[str, str | None]
"""A network's name, and the file that its configuration names instead of the published weights."""


@dataclass(frozen=True)
class WeightsFound:
    """Weights that are on disk.

    Attributes:
        name: the network's.
        weights: the file that the configuration names; None for the published ones.
        source: as a run's manifest will say it.
        path: the file; `bytes` and `mtime_ns` tell whether it is still the one that was hashed.
    """

    name: str
    weights: str | None
    source: str
    sha256: str
    path: str
    bytes: int
    mtime_ns: int

    @property
    def still_there(self) -> bool:
        """Whether the file is as it was hashed."""
        try:
            now = Path(self.path).stat()
        except (OSError, TypeError, ValueError):  # the answer may be of a damaged file
            return False
        told = isinstance(self.source, str) and isinstance(self.sha256, str)
        return told and (now.st_size, now.st_mtime_ns) == (self.bytes, self.mtime_ns)


@dataclass(frozen=True)
class Weights:
    """All that a plan asks for.

    Attributes:
        found: on disk, and hashed.
        problems: a line for each that cannot be had, with the experiments that ask for it.
        lacking: those experiments.
    """

    found: tuple[WeightsFound, ...]
    problems: tuple[str, ...] = ()
    lacking: frozenset[str] = frozenset()


def check_weights(checked: Iterable[CheckedJob], root: Path, runs: Path, *, fetch: bool) -> Weights:
    """Find and hash the pretrained weights of jobs, of their fallbacks and of every possible base.

    Args:
        checked: the jobs.
        root: the project's folder.
        runs: the folder of all runs, where answers are kept.
        fetch: download what is not on disk; else it is a problem.

    Raises:
        StorageError: answers cannot be kept.
    """
    wanted = _wanted(checked)
    known = _known(runs)
    there = {key: known[key] for key in wanted if key in known and known[key].still_there}
    problems: dict[Key, str] = {}
    asked = [key for key in wanted if key not in there]
    for key, answer in zip(asked, _ask(asked, root, fetch=fetch) if asked else (), strict=True):
        if isinstance(answer, str):
            problems[key] = answer
        else:
            there[key] = answer
    if there.keys() & asked:
        _keep(runs, {**known, **there})
    return Weights(
        found=tuple(there[key] for key in wanted if key in there),
        problems=tuple(f"{', '.join(wanted[key])}: {problem}" for key, problem in problems.items()),
        lacking=frozenset(experiment for key in problems for experiment in wanted[key]),
    )


def _wanted(checked: Iterable[CheckedJob]) -> dict[Key, list[str]]:
    """What the configurations ask for, and which experiments do."""
    wanted: dict[Key, dict[str, None]] = {}
    for one in checked:
        for composed in one.every:
            model = composed.resolved["model"]
            if model["pretrained"]:
                wanted.setdefault((model["name"], model["weights"]), {})[one.job.experiment] = None
    return {key: list(experiments) for key, experiments in wanted.items()}


def _ask(keys: list[Key], root: Path, *, fetch: bool) -> list["WeightsFound | str"]:
    """What a child finds, in the order of the keys; a text is a problem."""
    networks = [{"name": name, "weights": weights} for name, weights in keys]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "ctexp.models.find_weights"],
        input=json.dumps({"root": str(root), "fetch": fetch, "networks": networks}),
        env=os.environ | {"HF_HUB_DISABLE_PROGRESS_BARS": "1"},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    try:
        return [_answer(one) for one in json.loads(done.stdout)]
    except (ValueError, LookupError, TypeError):
        said = done.stderr.strip().splitlines()[-1:]
        problem = f"looking for its weights ended with {done.returncode}: {''.join(said)}".rstrip(": ")
        return [problem] * len(keys)


def _answer(one: dict[str, Any]) -> "WeightsFound | str":
    problem: str | None = one.get("problem")
    return WeightsFound(**one) if problem is None else problem


def _circumstances() -> dict[str, str]:
    """What decides which file a network's weights are, beside its name."""
    places = {name: os.environ[name] for name in _PLACES if name in os.environ}
    return {"timm": metadata.version("timm"), **places}


def _known(runs: Path) -> dict[Key, WeightsFound]:
    """Earlier answers; none where the file is missing, damaged, or from other circumstances."""
    try:
        document = files.read_json(runs / _FILE)
        if (document["schema_version"], document["of"]) != (SCHEMA_VERSION, _circumstances()):
            return {}
        found = [WeightsFound(**one) for one in document["found"]]
        return {(one.name, one.weights): one for one in found}
    except (DataError, LookupError, TypeError):
        return {}


def _keep(runs: Path, known: dict[Key, WeightsFound]) -> None:
    found = [asdict(one) for one in known.values()]
    files.write_json(runs / _FILE, {"schema_version": SCHEMA_VERSION, "of": _circumstances(), "found": found})
