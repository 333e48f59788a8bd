"""From what a person types to a run directory."""

import os
from collections.abc import Sequence
from pathlib import Path

from ctexp.core.errors import DataError, UsageError
from ctexp.core.names import did_you_mean
from ctexp.record import grouped
from ctexp.record.cross_validation import FOLDER, CrossValidationDir
from ctexp.record.run_dir import RUN_ID, RunDir, is_run

_SHOWN = 10
_COMPARED = 200


def run_paths(runs: Path) -> list[Path]:
    """Every run directory in `runs`, oldest first; none where the folder is missing.

    Other folders, such as those of queues, and files, such as caches, are passed over. So are links to a run
    of the same folder, which would be listed twice; runs linked from elsewhere are runs.
    """
    try:
        with os.scandir(runs) as entries:
            found = sorted(
                (_stamp(entry.name), entry.name)
                for entry in entries
                if _is_folder(entry) and (_plain(entry) or is_listed(Path(entry.path), runs))
            )
    except FileNotFoundError:
        return []
    except OSError as error:
        raise DataError(f"{runs}: cannot be read ({error.strerror})") from error
    return [runs / name for _, name in found]


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    """Whether it is a folder or leads to one; a link in a circle leads nowhere, and hides no other run."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _plain(entry: "os.DirEntry[str]") -> bool:
    """Whether it is a run by its name alone, as nearly all are: nothing more need be asked of the disk."""
    return not entry.is_symlink() and RUN_ID.fullmatch(entry.name) is not None


def is_listed(path: Path, runs: Path) -> bool:
    """Whether a directory in `runs`, or what a link there leads to, is a run of its own."""
    return is_run(path) and not (path.is_symlink() and path.resolve().parent == runs.resolve())


def find(runs: Path, selector: str) -> RunDir:
    """The run that `selector` means.

    Args:
        runs: the folder of all runs.
        selector: a run's id, the beginning of one that no other has, a path, or `latest`.

    Raises:
        UsageError: several runs are meant; they are listed.
        DataError: none is; the nearest name is given.
    """
    if not selector or "\0" in selector:
        raise UsageError("a run's id, the beginning of one, a path or `latest` is expected")
    if "/" in selector:
        return RunDir.open(Path(selector))
    paths = run_paths(runs)
    if not paths:
        raise no_runs(runs)
    if selector == "latest":
        return _one(_newest(paths), selector)
    exact = [path for path in paths if path.name == selector]
    return _one(exact or [path for path in paths if path.name.startswith(selector)], selector, paths)


def find_either(runs: Path, selector: str) -> RunDir | CrossValidationDir:
    """The run or the cross-validation that `selector` means.

    A cross-validation is meant by its id, by the beginning of it, which its folds' ids share, or by its path.

    Raises:
        UsageError: several are meant; they are listed.
        DataError: none is; the nearest name is given.
    """
    if "/" in selector:
        path = Path(selector)
        try:
            named = (path / "cross_validation.json").is_file()
        except OSError:  # a name too long, a folder that may not be entered: opening it says which
            named = False
        return CrossValidationDir(path.resolve()) if named else RunDir.open(path)
    folder = runs / FOLDER
    if selector != "latest" and grouped.begun(grouped.ids(folder), selector):
        return CrossValidationDir.find(runs, selector)
    return find(runs, selector)


def no_runs(runs: Path) -> DataError:
    """The error of whoever asks for a run where there is none yet."""
    return DataError(f"{runs}: no runs yet", "make one: scripts/inv quickstart, or scripts/inv train")


def several(selector: str, ids: Sequence[str], hint: str) -> UsageError:
    """The error of a word that means more runs than the one that is wanted; the first of them are listed."""
    more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    return UsageError(f"{selector!r} means {len(ids)} runs: {', '.join(ids[:_SHOWN])}{more}", hint)


def _newest(paths: list[Path]) -> list[Path]:
    """The run that was started last; several where neither their names nor their manifests can tell."""
    started = {path: _started(path) for path in paths if _stamp(path.name) == _stamp(paths[-1].name)}
    last = max(started.values())
    return [path for path, moment in started.items() if moment == last]


def _one(found: list[Path], selector: str, known: list[Path] | None = None) -> RunDir:
    """The only run found, or the error that says what else there is."""
    if len(found) == 1:
        return RunDir.open(found[0])
    if found:
        raise several(selector, [path.name for path in reversed(found)], "type more of the one you mean")
    ids = [path.name for path in known or []]
    options = {_name(path) for path in ids} | set(ids[-_COMPARED:]) | {"latest"}
    raise DataError(
        f"no run {selector!r}", did_you_mean(selector, options) or "`scripts/inv runs` lists what there is"
    )


def _stamp(run_id: str) -> str:
    """The time in a run's id; empty where it was renamed."""
    match = RUN_ID.fullmatch(run_id)
    return match["stamp"] if match else ""


def _name(run_id: str) -> str:
    """The part of a run's id before its time."""
    match = RUN_ID.fullmatch(run_id)
    return match["name"] if match else run_id


def _started(path: Path) -> str:
    """When the run says it was created, to the millisecond; empty where it cannot say."""
    manifest = RunDir(path).read().manifest
    return manifest.created if manifest else ""
