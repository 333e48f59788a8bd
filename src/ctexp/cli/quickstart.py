"""`quickstart`: from nothing to a trained classifier and a record to look at."""

from ctexp.cli.data import make_phantom
from ctexp.cli.train import start
from ctexp.config.compose import compose, paths_of
from ctexp.core import screen
from ctexp.core.paths import project_root, shown
from ctexp.data.catalog import available
from ctexp.record.find import find

_OVERRIDES = ("experiment=quickstart",)


def quickstart(json: bool) -> int:
    """Make the synthetic set if it is missing, train on it, and say where to look; the exit code."""
    root = project_root()
    composed = compose(_OVERRIDES, root)
    settings = composed.settings
    data_dir, runs_dir = paths_of(settings.paths, root)
    if settings.data.name not in available(data_dir):
        screen.note(
            f"making the synthetic CT set in {data_dir}, half a minute to some minutes; "
            "these are not images of patients"
        )
        make_phantom(data_dir, settings.data.name, seed=42)
    code = start(root, composed, dry_run=False, yes=True, json=json)
    if code == 0:
        newest = find(runs_dir, "latest").path
        screen.note(
            f"pictures: {shown(newest)}/figures\n"
            "everything about the run: scripts/inv show latest\n"
            "all runs: scripts/inv runs\n"
            "your own images: scripts/inv data-import PATH, then scripts/inv train"
        )
    return code
