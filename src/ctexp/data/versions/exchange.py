"""Versions of the data between here and the remote: `dvc.lock` says which, DVC carries them.

What people bring is recorded when it is pushed. What programs make of it (audit, splits, features) is
recorded by `dvc repro`, which runs them: nobody else knows that these outputs are of this very version.
"""

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ctexp.core.errors import DataError, PreflightError
from ctexp.data import catalog as catalogs
from ctexp.data.catalog import Catalog, import_lock
from ctexp.data.parallel import each
from ctexp.data.versions import dvc
from ctexp.data.versions.lock_file import LOCK, RAW, Lock, is_recorded
from ctexp.data.versions.pipeline import FILE, Pipeline

_SHARED = (FILE, LOCK, ".dvc/config")
"""What a clone needs to find the data, by names git knows."""

_PUT_BACK = "put them back; where an earlier push has them, remove them and run scripts/inv data-pull"
_PULL_AGAIN = (
    "remove them and pull again; if they come back so, DVC's copies in .dvc/cache or the remote are damaged"
)


@dataclass(frozen=True)
class Pushed:
    """What a push did.

    Attributes:
        remote: its name.
        sets: the data sets, verified.
        registered: those of them that were written into `dvc.yaml`.
        stages: the stages whose outputs are in the remote now.
        outstanding: stages of these sets that have not been run on this version of the data.
        files: how many files were not in the remote before.
        uncommitted: the files to commit, so that others can pull.
    """

    remote: str
    sets: tuple[Catalog, ...]
    registered: tuple[str, ...]
    stages: tuple[str, ...]
    outstanding: tuple[str, ...]
    files: int
    uncommitted: tuple[str, ...]


@dataclass(frozen=True)
class Pulled:
    """What a pull brought: data sets, verified, and the stages whose outputs are here now."""

    sets: tuple[Catalog, ...]
    stages: tuple[str, ...]


def push(root: Path, data_dir: Path, name: str | None, follow: dvc.Follow | None = None) -> Pushed:
    """Record the versions of data sets in `dvc.lock` and push them, with what was made of them.

    Raises:
        DataError: there is no such set, or files of it are not those that were imported; all are named, and
            nothing is recorded.
        PreflightError: DVC has no remote, or cannot use it.
        Busy: an import or another DVC is at work.
    """
    _check_place(root, data_dir)
    remote = dvc.remote(root)
    with import_lock(data_dir):
        sets = _verified(data_dir, [name] if name else catalogs.available(data_dir), _PUT_BACK)
        pipeline, recorded = Pipeline(root), Lock(root).sets()
        registered = [one.name for one in sets if pipeline.register(one.name)]
        for one in sets:
            # A set that a stage makes may not be claimed to come of that stage as it is today: without
            # --force DVC refuses that. Before the first time there is nothing that could be contradicted.
            may_differ = one.name in pipeline.imported or one.name not in recorded
            paths = (f"{RAW}/{one.name}", f"{RAW}/{one.name}.parquet")
            dvc.run(root, "commit", *(["--force"] if may_differ else []), *paths, follow=follow)
        lock = Lock(root)
        stages = [stage for one in sets for stage in lock.current(one.name)]
        answer = dvc.run(root, "push", *stages, follow=follow)
    outstanding = [stage for one in sets for stage in pipeline.derived(one.name) if stage not in stages]
    count = re.search(r"(\d+) files? pushed", answer)
    return Pushed(
        remote=remote,
        sets=tuple(sets),
        registered=tuple(registered),
        stages=tuple(stages),
        outstanding=tuple(outstanding),
        files=int(count[1]) if count else 0,
        uncommitted=_uncommitted(root),
    )


def pull(root: Path, data_dir: Path, name: str | None, follow: dvc.Follow | None = None) -> Pulled:
    """Fetch the versions that `dvc.lock` records, put them into place and verify every file.

    Raises:
        DataError: no version is recorded, the remote lacks files, what is here is unsaved and would be
            overwritten, or what came is not what was imported.
        PreflightError: DVC has no remote, or cannot use it.
        Busy: an import or another DVC is at work.
    """
    _check_place(root, data_dir)
    lock = Lock(root)
    names = [name] if name else lock.sets()
    if not names:
        raise DataError(
            f"{LOCK}: no data set is recorded", "push one from where its images are: scripts/inv data-push"
        )
    stages = [stage for one in names for stage in lock.current(one)]
    with import_lock(data_dir):
        dvc.run(root, "pull", *stages, follow=follow)
        sets = _verified(data_dir, names, _PULL_AGAIN)
    return Pulled(tuple(sets), tuple(stages))


def pull_if_missing(root: Path, data_dir: Path, name: str) -> bool:
    """On a worker that begins with the project alone: fetch a data set that it lacks; whether it came.

    Nothing is done where the set is here, or where no version of it is recorded: who reads it says so then.

    Raises:
        DataError: the remote lacks files, or what came is not what was imported.
        PreflightError: DVC has no remote, or cannot use it.
        Busy: an import or another DVC is at work.
    """
    is_here = catalogs.catalog_file(data_dir, name).is_file() and catalogs.raw_folder(data_dir, name).is_dir()
    if is_here or data_dir != root / "data" or not is_recorded(root, name):
        return False
    if not (root / ".git").exists():  # a snapshot: DVC refuses to work without git unless it is told to
        dvc.run(root, "config", "--local", "core.no_scm", "true")
    pull(root, data_dir, name)
    return True


def _check_place(root: Path, data_dir: Path) -> None:
    if data_dir != root / "data":
        raise PreflightError(
            f"paths.data is {data_dir}: DVC keeps versions of the project's own data folder alone",
            f"have the data in {root / 'data'}, and set paths.data back to data",
        )


def _verified(data_dir: Path, names: Sequence[str], hint: str) -> list[Catalog]:
    """The data sets, each file of theirs as the catalog says."""
    if not names:
        raise DataError(f"{data_dir}: no data set is here", "import one: scripts/inv data-import PATH")
    sets = [catalogs.load(data_dir, name) for name in names]
    each(lambda one: one.verify_files(one.rows, full=True), sets, hint=hint)
    return sets


def _uncommitted(root: Path) -> tuple[str, ...]:
    """Those of `_SHARED` that git does not have as they are."""
    command = ["git", "status", "--porcelain", "--", *_SHARED]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return tuple(line[3:] for line in done.stdout.splitlines())
