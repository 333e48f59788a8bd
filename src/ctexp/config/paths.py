"""Where data and runs are, for verbs that need no more of the configuration: no Hydra, no schema."""

from pathlib import Path
from typing import Any

from ctexp.config import personal
from ctexp.core import yaml_file
from ctexp.core.errors import UsageError


def resolve_paths(root: Path) -> tuple[Path, Path]:
    """The folders of data and of runs, absolute, as `conf/config.yaml` and `conf/local.yaml` set them.

    Args:
        root: the project's absolute folder.

    Raises:
        UsageError: a file is missing or broken, or one of the two is not a path.
    """
    conf = root / "conf"
    paths: dict[str, Any] = {}
    for document in (yaml_file.read_mapping(conf / "config.yaml"), personal.local_settings(conf)):
        section = document.get("paths", {})
        if isinstance(section, dict):
            paths |= section
    wrong = [key for key in ("data", "runs") if not isinstance(paths.get(key), str) or not paths[key]]
    if wrong:
        raise UsageError([f"paths.{key}: expected a path, got {paths.get(key)!r}" for key in wrong])
    return absolute(root, paths["data"]), absolute(root, paths["runs"])


def absolute(root: Path, path: str) -> Path:
    """A path of the settings as the file system knows it: `~` expanded, relative ones below the root.

    Raises:
        UsageError: it begins with `~name` and there is no such user.
    """
    try:
        return root / Path(path).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{path}: its home directory is not known", "write the whole path") from error
