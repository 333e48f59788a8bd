"""From files, environment and command line to one validated configuration.

Hydra and pydantic take half a second to load and are imported by the functions that need them: verbs that
only want to know where the runs are answer at once.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctexp.config.paths import absolute, resolve_paths
from ctexp.core import yaml_file
from ctexp.core.errors import DataError, UsageError
from ctexp.core.files import sha256_bytes

if TYPE_CHECKING:
    from ctexp.config.schema import Settings
    from ctexp.config.schema.running import PathSettings

__all__ = ["Composed", "Composer", "compose", "load", "paths_of", "resolve_paths"]


@dataclass(frozen=True)
class Composed:
    """A configuration, validated.

    Attributes:
        settings: what the code reads; watched, see `config.reading`.
        overrides: what the user typed.
        resolved: the same as `settings` in plain values, defaults included.
        sha256: of `resolved` as canonical JSON; equal for equal configurations however they were written.
    """

    settings: "Settings"
    overrides: tuple[str, ...]
    resolved: dict[str, Any]
    sha256: str

    @cached_property
    def yaml(self) -> str:
        """`resolved` as YAML, in the schema's order; written when asked for, since it takes milliseconds."""
        return yaml_file.dump(self.resolved)


def compose(overrides: Sequence[str], root: Path) -> Composed:
    """Compose and validate the configuration of a project.

    Args:
        overrides: as typed: `model=resnet50`, `data.batch_size=32`, `+experiment=quickstart`, `~experiment`.
        root: the project's folder, the one that holds `conf/`.

    Raises:
        UsageError: everything that is wrong, a line each.
    """
    conf = root.resolve() / "conf"
    return _composer(root, _state(conf)).compose(overrides)


@lru_cache(maxsize=1)
def _composer(root: Path, _state: tuple[tuple[Path, int, int, int], ...]) -> "Composer":
    """Of a project whose configuration has this state: Hydra takes 50 ms to put it together anew."""
    return Composer(root)


def _state(conf: Path) -> tuple[tuple[Path, int, int, int], ...]:
    """Every file and folder of the configuration with what changes when it does: inode, size, time."""
    found = []
    for path in (conf, *conf.glob("*"), *conf.glob("*/*")):  # links to other folders followed
        with suppress(OSError):  # it went away, or leads nowhere
            about = path.stat()
            found.append((path, about.st_ino, about.st_size, about.st_ctime_ns))
    return tuple(sorted(found))


class Composer:
    """Composes many configurations of a project: each choice of files and each override is read once.

    What the files say is what they said when they were first read.

    Args:
        root: the project's folder, the one that holds `conf/`.
    """

    def __init__(self, root: Path) -> None:
        from ctexp.config.sources import Sources

        self._sources = Sources(root.resolve() / "conf")

    def compose(self, overrides: Sequence[str]) -> Composed:
        """What `compose` gives; see there."""
        from ctexp.config.layers import Layers
        from ctexp.config.validate import validated

        layers = Layers(overrides, self._sources)
        settings, invalid = validated(layers.document(), layers.origin)
        problems = layers.problems + [line for line in invalid if not layers.is_undecided(line)]
        if settings is None or problems:
            raise UsageError(problems)
        resolved = settings.model_dump()
        settings.watch()
        return Composed(
            settings=settings, overrides=tuple(overrides), resolved=resolved, sha256=_digest(resolved)
        )


def _digest(resolved: dict[str, Any]) -> str:
    return sha256_bytes(json.dumps(resolved, sort_keys=True, separators=(",", ":")).encode())


def load(file: Path, sha256: str, *, devices: int | None = None) -> "Settings":
    """Read the resolved configuration that a run directory keeps.

    Args:
        file: the run's `config.yaml`.
        sha256: of the configuration it ran with, as its manifest says.
        devices: what `trainer.devices` is now: where a run computes may differ from start to start.

    Raises:
        DataError: it is missing, damaged, changed since, or of a version that had other keys.
        UsageError: the configuration does not go with so many devices.
    """
    from ctexp.config.validate import validated

    try:
        document = yaml_file.read_mapping(file)
        settings, problems = validated(document, lambda _: "")
    except UsageError as error:
        raise DataError(error.problems) from error
    if settings is None:
        raise DataError([f"{file}: {problem}" for problem in problems])
    # A file from before a key was there says nothing of it, and the key has the meaning of that time.
    if sha256 not in {_digest(settings.model_dump()), _digest(document)}:
        raise DataError(f"{file}: was changed after the run began", "restore it, or train anew")
    if devices is not None:
        document["trainer"]["devices"] = devices
        settings, problems = validated(document, lambda _: "")
        if settings is None:
            raise UsageError(problems)
    settings.watch()
    return settings


def paths_of(paths: "PathSettings", root: Path) -> tuple[Path, Path]:
    """The folders of data and of runs of a composed configuration, absolute."""
    return absolute(root, paths.data), absolute(root, paths.runs)
