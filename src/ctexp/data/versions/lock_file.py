"""Which bytes the commit at hand belongs to: `dvc.lock`, read without DVC.

DVC writes there, for every stage it has run or recorded, the hash of each file and folder that went in and
came out. It is a few kilobytes however many images there are, since a folder is one hash.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ctexp.core import yaml_file
from ctexp.core.errors import DataError, UsageError
from ctexp.core.names import did_you_mean

LOCK = "dvc.lock"
RAW = "data/raw"
"""Where the pipeline keeps the sets; its paths are relative to the project, with slashes."""


@dataclass(frozen=True)
class Recorded:
    """A stage as `dvc.lock` records it: what went in and what came out, path -> hash."""

    name: str
    deps: Mapping[str, str]
    outs: Mapping[str, str]


class Lock:
    """What a project's `dvc.lock` records; nothing, where there is none.

    Raises:
        DataError: it cannot be read: not YAML (an unsolved merge, say), or not what DVC writes.
    """

    def __init__(self, root: Path) -> None:
        file = root / LOCK
        self.stages: dict[str, Recorded] = {}
        if file.exists():
            self.stages = {stage.name: stage for stage in _parse(file)}

    def sets(self) -> list[str]:
        """The data sets that have a recorded version."""
        catalogs = [PurePosixPath(path) for stage in self.stages.values() for path in stage.outs]
        return sorted(path.stem for path in catalogs if path.match(f"{RAW}/*.parquet"))

    def origin(self, name: str) -> Recorded:
        """The stage that a data set comes from.

        Raises:
            DataError: no version of it is recorded; the nearest name is told.
        """
        for stage in self.stages.values():
            if {f"{RAW}/{name}", f"{RAW}/{name}.parquet"} <= stage.outs.keys():
                return stage
        way = did_you_mean(name, self.sets())
        hint = way or f"record it where its images are: scripts/inv data-push --dataset {name}"
        raise DataError(f"{LOCK}: no version of data set {name!r} is recorded", hint)

    def current(self, name: str) -> list[str]:
        """The stages of a data set, by name: its origin, and what was made from the version recorded there.

        Whether the code has changed since is left to `dvc status`.
        """
        origin = self.origin(name)
        made = {path: md5 for stage in self.stages.values() for path, md5 in stage.outs.items()}
        return [origin.name] + [
            stage.name
            for stage in self.stages.values()
            if origin.outs.keys() & stage.deps.keys()
            and all(made.get(path, md5) == md5 for path, md5 in stage.deps.items())
        ]


def is_recorded(root: Path, name: str) -> bool:
    """Whether a version of a data set is recorded; no where nobody can read the file."""
    try:
        return name in Lock(root).sets()
    except DataError:
        return False


def _parse(file: Path) -> Iterator[Recorded]:
    try:
        stages = yaml_file.read_mapping(file, LOCK).get("stages", {})
        for name, stage in stages.items():
            yield Recorded(name, _hashes(stage.get("deps", [])), _hashes(stage.get("outs", [])))
    except UsageError as error:
        raise DataError(error.problems, f"restore it: git checkout {LOCK}") from error
    except (AttributeError, KeyError, TypeError) as error:
        raise DataError(f"{LOCK}: not what DVC writes", f"restore it: git checkout {LOCK}") from error


def _hashes(entries: list[dict[str, Any]]) -> dict[str, str]:
    return {str(entry["path"]): str(entry["md5"]) for entry in entries if "md5" in entry}
