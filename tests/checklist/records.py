"""Records that have all that is asked for, in a project with a repository."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ctexp.checklist.audit import Audit, RunAudit, audit
from ctexp.record.git import GitState
from ctexp.record.manifest import DvcVersion
from ctexp.record.run_dir import RunDir
from tests import judged
from tests.project import git

EPOCHS = 30
"""As many as the results of `tests.record.samples` have."""

VERSION = DvcVersion(raw="0123456789abcdef.dir", catalog="fedcba9876543210")


def repository(folder: Path) -> GitState:
    """A project of one commit; its state."""
    folder.mkdir(exist_ok=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "commit", "--quiet", "--allow-empty", "--message=start")
    return GitState(commit=git(folder, "rev-parse", "HEAD").strip(), branch="main", dirty=False)


def whole(root: Path, name: str = "net", seed: int = 1, **changes: Any) -> RunDir:
    """A run below `root`, a repository, whose record lacks nothing.

    Args:
        root: the project's folder.
        name: `run.name`.
        seed: of the training.
        changes: to its manifest, or what else `judged.a_run` takes.
    """
    state = GitState(commit=git(root, "rev-parse", "HEAD").strip(), branch="main", dirty=False)
    fields: dict[str, Any] = {"git": state, "tags": ("baseline",), "dataset": judged.dataset(dvc=VERSION)}
    run = judged.a_run(root / "runs", name, seed, **fields | changes)
    history(run)
    return run


def history(run: RunDir, left_out: Mapping[int, str] | None = None, epochs: int = EPOCHS) -> None:
    """A row an epoch; `left_out` names a column that an epoch lacks, `row` for all of it."""
    columns = ("val/loss", "val/macro_f1", "learning_rate", "train/gradient_norm")
    lines = ["epoch," + ",".join(columns)]
    for epoch in range(1, epochs + 1):
        lacks = (left_out or {}).get(epoch)
        if lacks != "row":
            lines.append(f"{epoch}," + ",".join("" if column == lacks else "0.5" for column in columns))
    run.history.write_text("\n".join(lines) + "\n")


def audited(root: Path, *runs: RunDir, thorough: bool = True) -> Audit:
    return audit("these", runs, root, thorough=thorough)


def of(found: Audit, run: RunDir) -> RunAudit:
    return next(one for one in found.runs if one.run == run.id)
