"""The files of `conf/`, composed by Hydra but read by our own reader.

Hydra merges the defaults list and the chosen groups. It gets every file from `_StrictFiles`, so that the
limits of `yaml_file` and the rules of `file_rules` hold for each.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.global_hydra import GlobalHydra
from hydra.core.object_type import ObjectType
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.plugins.config_source import ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from ctexp.config import file_rules, groups
from ctexp.config.keys import EXPERIMENT, GROUPS
from ctexp.core import yaml_file
from ctexp.core.errors import UsageError

_ABSENT = object()


@dataclass(frozen=True)
class Files:
    """What the files say.

    Attributes:
        conf: the folder they are in.
        document: merged, plain, not validated.
        chosen: group -> the file it was taken from; `experiment` -> None where there is none.
    """

    conf: Path
    document: dict[str, Any]
    chosen: dict[str, str | None]

    def setter(self, key: str) -> str:
        """The file a dotted key comes from, or should have come from: `conf/optimizer/adamw.yaml`."""
        group, _, rest = key.partition(".")
        places = [("config", key)]
        if self.chosen.get(group):
            places.insert(0, (f"{group}/{self.chosen[group]}", rest))
        expected = f"conf/{places[0][0]}.yaml"
        if self.chosen[EXPERIMENT]:
            places.insert(0, (f"{EXPERIMENT}/{self.chosen[EXPERIMENT]}", key))
        return next(filter(None, (self._find(*place) for place in places)), expected)

    def _find(self, name: str, key: str) -> str:
        """The file `name`, or the one it starts from, if it has the key; else nothing."""
        document: Any = yaml_file.read_mapping(self.conf / f"{name}.yaml")
        bases = [
            entry for entry in document.get("defaults", []) if isinstance(entry, str) and entry != "_self_"
        ]
        for part in key.split("."):
            document = document.get(part, _ABSENT) if isinstance(document, dict) else _ABSENT
        if document is not _ABSENT:
            return f"conf/{name}.yaml"
        group = name.partition("/")[0]
        return next(filter(None, (self._find(f"{group}/{base}", key) for base in bases)), "")


def from_files(conf: Path, choices: Mapping[str, str | None]) -> Files:
    """Compose `conf/config.yaml` and the groups it or `choices` name.

    Args:
        conf: the absolute folder.
        choices: group -> file, already checked by `groups.problem_with`.

    Raises:
        UsageError: a file is missing or broken.
    """
    if not (conf / "config.yaml").is_file():
        raise UsageError(f"{conf}/config.yaml: no such file", "restore it from git")
    overrides = [f"~{group}" if name is None else f"{group}={name}" for group, name in choices.items()]
    composed = _composed(conf, "config", overrides)
    chosen = composed.hydra.runtime.choices
    return Files(
        conf=conf,
        document={str(key): _plain(composed[key]) for key in composed if key != "hydra"},
        chosen={group: chosen.get(group) for group in (*GROUPS, EXPERIMENT)},
    )


def group_from_file(conf: Path, group: str, name: str) -> Any:
    """What one file of a group says, and those it starts from.

    Raises:
        UsageError: it is broken.
    """
    said = _said(conf, group, name)
    if not any(said):
        return _plain(_composed(conf, f"{group}/{name}", []).get(group))
    merged: dict[str, Any] = {}
    for document in said:
        merged = over(merged, document)
    return merged


def _said(conf: Path, group: str, name: str) -> list[dict[str, Any]]:
    """What a file says, last, and before it those that it starts from; nothing where only Hydra knows."""
    said: list[dict[str, Any]] = []
    names = [name]
    while names:
        document, _ = _read(conf, f"{group}/{names[-1]}")
        match document.pop("defaults", []):
            case []:
                names = []
            case [str(base), "_self_"] if base not in names:
                names.append(base)
            case _:
                return []
        said.insert(0, document)
    return said


def over(below: Any, above: Any) -> Any:
    """One value over another; mappings key by key, and neither is changed."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return {**below, **{key: over(below.get(key), value) for key, value in above.items()}}


def _composed(conf: Path, name: str, overrides: list[str]) -> Any:
    """By Hydra, its own settings included."""
    Plugins.instance().register(_StrictFiles)
    Plugins.instance().register(_StrictSearchPath)
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(config_dir=str(conf), job_name="ctexp", version_base="1.3"):
            return compose(name, overrides=overrides, return_hydra_config=True)
    except (HydraException, OmegaConfBaseException, RecursionError, ValueError) as error:
        raise UsageError(f"conf: cannot be composed ({error})") from error


def _read(conf: Path, name: str) -> tuple[dict[str, Any], dict[str, str | None]]:
    """A file and what its header says, held to the rules."""
    file, shown = conf / f"{name}.yaml", f"conf/{name}.yaml"
    document = yaml_file.read_mapping(file, shown)
    header = ConfigSource._get_header_dict(file.read_text(encoding="utf-8-sig"))
    problems = file_rules.problems_with(document, name, header["package"], conf)
    if problems:
        raise UsageError([f"{shown}: {problem}" for problem in problems])
    return document, header


def _plain(value: Any) -> Any:
    return OmegaConf.to_container(value) if OmegaConf.is_config(value) else value


class _StrictSearchPath(SearchPathPlugin):
    """Sends Hydra to `_StrictFiles` for the files that are ours."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        for element in search_path.get_path():
            if element.provider == "main":
                element.path = f"{_StrictFiles.scheme()}://{element.path}"


class _StrictFiles(ConfigSource):
    """A folder whose YAML is read by `yaml_file`."""

    @staticmethod
    def scheme() -> str:
        return "strict"

    def load_config(self, config_path: str) -> ConfigResult:
        document, header = _read(Path(self.path), config_path)
        return ConfigResult(
            provider=self.provider, path=self.full_path(), config=OmegaConf.create(document), header=header
        )

    def available(self) -> bool:
        return True

    def is_group(self, config_path: str) -> bool:
        return Path(self.path, config_path).is_dir()

    def is_config(self, config_path: str) -> bool:
        return Path(self.path, f"{config_path}.yaml").is_file()

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:  # noqa: ARG002
        return groups.choices(config_path, Path(self.path))
