"""Which runs a trial goes on with."""

from pathlib import Path

from ctexp.record.run_dir import RunDir
from ctexp.record.sweep import Sweep
from ctexp.sweeps.begun import begun
from ctexp.sweeps.file.spec import Member
from ctexp.sweeps.trials import Taken


def known(runs: Path, sweep: Sweep, taken: Taken, members: tuple[Member, ...]) -> dict[str, RunDir]:
    """The newest run of each member, by its label, that an earlier attempt at a trial has begun.

    Args:
        runs: the folder of all runs.
        sweep: whose trial it is.
        taken: the trial.
        members: what it trains.
    """
    noted = {label: RunDir(runs / run) for label, run in taken.runs.items() if (runs / run).is_dir()}
    if taken.attempt == 1:  # nobody has had it before
        return noted
    found: dict[str, RunDir] = {}
    for run, manifest in begun(runs, sweep, taken.number):
        labels = {f"s{manifest.seed}", f"s{manifest.seed}-f{manifest.dataset.fold}"}
        for member in members:
            if len(members) == 1 or member.label in labels:
                found[member.label] = run
    return found | noted
