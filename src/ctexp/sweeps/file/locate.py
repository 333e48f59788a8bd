"""Where a sweep's file is."""

import os
from pathlib import Path

from ctexp.core.errors import UsageError
from ctexp.core.names import did_you_mean

FOLDER = Path("conf") / "sweep"
"""Where those of a project are."""


def locate(root: Path, said: str) -> Path:
    """The file of a sweep, absolute.

    Args:
        root: the project's folder.
        said: a path, from here or from the project's folder; or the name of a file in `conf/sweep`.

    Raises:
        UsageError: there is none; the nearest one is named.
    """
    folder = root / FOLDER
    names = sorted(file.stem for file in folder.glob("*.yaml"))
    if not said or "\0" in said:
        shipped = f"; {FOLDER} has {', '.join(names)}" if names else ""
        raise UsageError("--config is missing: the file of the sweep", f"name one{shipped}")
    named, here, there = folder / f"{said}.yaml", Path(said), root / said
    # A name is one, whatever else lies around.
    for path in (here, there, named) if "/" in said else (named, here, there):
        if os.path.isfile(path):  # noqa: PTH113 (pathlib's fails on names that no file can have)
            return path.resolve()
    near = did_you_mean(Path(said).stem, names)
    raise UsageError(f"{said}: there is no such sweep", near or f"write one: {FOLDER}/<name>.yaml")
