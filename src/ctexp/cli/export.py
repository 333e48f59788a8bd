"""`export`: a run's network for other programs, checked on real images."""

from pathlib import Path

from ctexp.cli.meant import experiment
from ctexp.config.compose import resolve_paths
from ctexp.core import screen
from ctexp.core.errors import DataError, UsageError
from ctexp.core.names import did_you_mean
from ctexp.core.paths import project_root, shown
from ctexp.record.checkpoint_files import BEST
from ctexp.record.manifest import Manifest
from ctexp.record.pruned import told
from ctexp.record.run_dir import RunDir

_FORMATS = ("onnx", "safetensors")
_FOLDER = "exports"


def export(run: str, format: str, output: str | None, json: bool) -> None:
    """Write a run's network, its preprocessing and its model card into a new folder."""
    if format not in _FORMATS:
        raise UsageError(f"--format: {format!r} is no format to export", did_you_mean(format, _FORMATS))
    root = project_root()
    data_dir, runs = resolve_paths(root)
    found = _the_one(root, run)
    folder = Path(output).expanduser() if output else runs / _FOLDER / f"{found.id}_{format}"
    if folder.exists():
        raise UsageError(f"--output: {shown(folder)} is there already", "move it away, or name another")
    if line := told(found, BEST):
        raise DataError(line, "name another run, or train this one anew")
    manifest = Manifest.read(found.manifest)

    from ctexp.data.unlabelled import window_of_set
    from ctexp.evaluation import model_card

    card = model_card.text(found, root)
    window = window_of_set(data_dir, manifest.dataset.name, manifest.dataset.catalog_sha256)

    from ctexp.training.exporting.package import SUMS
    from ctexp.training.exporting.package import export as write

    with screen.status(f"exporting {found.id}"):
        told_of = write(found, folder, format=format, data_dir=data_dir, card=card, window=window)
    if json:
        screen.emit_json(told_of)
        return
    print(shown(folder))
    for name in (*told_of["files"], SUMS):
        print(f"  {name}")
    its = told_of["agreement"]
    screen.note(
        f"checked on {its['images']} of {its['of']} validation images: logits differ from the network's by "
        f"{its['logits_from_network']:.2g} at most, from the record's by {its['logits_from_record']:.2g}; "
        f"{its['classes_differ']} called another class"
    )
    if not told_of["calibrated"]:
        screen.warn(
            f"not calibrated: no temperature belongs to its weights; "
            f"fit one: scripts/inv evaluate --run {found.id} --split val"
        )
    if manifest.dataset.synthetic:
        screen.warn(f"trained on synthetic images ({manifest.dataset.name}): it knows no patient")


def _the_one(root: Path, selector: str) -> RunDir:
    """The run that is meant.

    Raises:
        UsageError: several are.
    """
    meant = experiment(root, selector)
    if len(meant.runs) > 1 or meant.place is not None:
        raise UsageError(
            f"--run: {meant.title} means {len(meant.runs)} networks; one is exported at a time",
            f"name one of: {', '.join(run.id for run in meant.runs)}",
        )
    return meant.runs[0]
