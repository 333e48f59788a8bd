"""Which runs are those of a trial: found by what they say of themselves, whoever began them."""

from pathlib import Path

from ctexp.record.run_dir import RUN_ID, RunDir
from ctexp.sweeps.file.spec import Member
from ctexp.sweeps.trials import Taken


def known(runs: Path, sweep: str, name: str, taken: Taken, members: tuple[Member, ...]) -> dict[str, RunDir]:
    """The newest run of each member, by its label, that an earlier attempt at a trial has begun.

    Args:
        runs: the folder of all runs.
        sweep: whose trial it is; a run names it as its parent.
        name: `run.name` of the trial's runs.
        taken: the trial.
        members: what it trains.
    """
    noted = {label: RunDir(runs / run) for label, run in taken.runs.items() if (runs / run).is_dir()}
    if taken.attempt == 1:  # nobody has had it before
        return noted
    found: dict[str, RunDir] = {}
    # Whoever began a run may have been killed before it could note that.
    of_name = [match for path in runs.glob(f"{name}_*") if (match := RUN_ID.fullmatch(path.name))]
    for match in sorted(of_name, key=lambda match: match["stamp"]):
        run = RunDir(runs / match[0])
        manifest = run.read().manifest
        if match["name"] != name or manifest is None or manifest.origin.parent != sweep:
            continue
        labels = {f"s{manifest.seed}", f"s{manifest.seed}-f{manifest.dataset.fold}"}
        for member in members:
            if len(members) == 1 or member.label in labels:
                found[member.label] = run
    return found | noted
