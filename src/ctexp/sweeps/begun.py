"""Which runs are those of a trial: found by what they say of themselves, whoever began them.

Whoever began a run may have been killed, or stopped, before that was noted.
"""

from collections.abc import Iterable
from pathlib import Path

from ctexp.record.manifest import Manifest
from ctexp.record.run_dir import RUN_ID, RunDir
from ctexp.record.sweep import Sweep


def name_of(sweep: Sweep, number: int) -> str:
    """`run.name` of a trial's runs."""
    return f"{sweep.name}-t{number}"


def begun(runs: Path, sweep: Sweep, number: int) -> list[tuple[RunDir, Manifest]]:
    """The runs of a trial and what they say of themselves, oldest first.

    Args:
        runs: the folder of all runs.
        sweep: whose trial it is; a run names it as its parent.
        number: of the trial.
    """
    name = name_of(sweep, number)
    of_name = [match for path in runs.glob(f"{name}_*") if (match := RUN_ID.fullmatch(path.name))]
    found = []
    for match in sorted(of_name, key=lambda match: match["stamp"]):
        run = RunDir(runs / match[0])
        manifest = run.read().manifest
        if match["name"] == name and manifest is not None and manifest.origin.parent == sweep.id:
            found.append((run, manifest))
    return found


def lives(runs: Path, sweep: Sweep, number: int, noted: Iterable[str] = ()) -> bool:
    """Whether a training of a trial is under way here.

    Args:
        runs: the folder of all runs.
        sweep: whose trial it is.
        number: of the trial.
        noted: runs of it that are known already.
    """
    if any(RunDir(runs / run).lock().is_held() for run in noted):
        return True
    return any(run.lock().is_held() for run, _ in begun(runs, sweep, number))
