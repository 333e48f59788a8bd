"""Where the project is. Data and runs may live elsewhere; everything else hangs from here."""

import os
from pathlib import Path

from ctexp.core.errors import UsageError


def project_root() -> Path:
    """The folder of `tasks.py` and `conf/`: `CTEXP_ROOT`, or the nearest one above the working folder.

    Raises:
        UsageError: there is none.
    """
    named = os.environ.get("CTEXP_ROOT")
    if named:
        root = Path(named).expanduser().resolve()
        if (root / "conf" / "config.yaml").is_file():
            return root
        raise UsageError(f"CTEXP_ROOT={named}: no conf/config.yaml there", "name a ctexp project's folder")
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "conf" / "config.yaml").is_file() and (folder / "tasks.py").is_file():
            return folder
    raise UsageError(
        f"{here}: not inside a ctexp project (no tasks.py with conf/config.yaml here or above)",
        "change into the project's folder, or set CTEXP_ROOT",
    )


def splits_folder(root: Path) -> Path:
    """Where a project's committed split files are: `<data set>/<scheme>.txt` in it."""
    return root / "research" / "splits"


def feature_lists_folder(root: Path) -> Path:
    """Where a project's committed lists of features are: `<data set>.yaml` in it, or one a fold."""
    return root / "research" / "features"


def baselines_file(root: Path) -> Path:
    """Where a project says which runs are its baselines; committed."""
    return root / "research" / "baselines.yaml"


def ledger_file(root: Path) -> Path:
    """Where every look at a test split is written down; committed."""
    return root / "research" / "test_ledger.jsonl"


def decisions_file(root: Path) -> Path:
    """Where every decision about a candidate is written down, with its reason; committed."""
    return root / "research" / "decisions.jsonl"


def shown(path: Path) -> str:
    """A path as a person here would type it: relative where it lies below the working folder."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)
