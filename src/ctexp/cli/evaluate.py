"""`evaluate`: a run's best checkpoint on a split."""

from ctexp.config.compose import load, paths_of, resolve_paths
from ctexp.core import screen
from ctexp.core.errors import DataError, UsageError
from ctexp.core.names import did_you_mean
from ctexp.core.paths import project_root, splits_folder
from ctexp.record.find import find
from ctexp.training.dataset import features_of, refuse_other_features, same_data

_SPLITS = ("train", "val")


def evaluate(run: str, split: str, json: bool) -> None:
    """Predict a split with a run's best checkpoint; write and print its metrics."""
    if split == "test":
        raise UsageError(
            "--split: the test split is sealed until looks at it are counted in a ledger",
            "use --split val or --split train",
        )
    if split not in _SPLITS:
        raise UsageError(f"--split: {split!r} is no split to evaluate", did_you_mean(split, _SPLITS))
    root = project_root()
    found = find(resolve_paths(root)[1], run)
    reading = found.read()
    if reading.manifest is None:
        raise DataError(reading.problems, "a run without a whole manifest cannot be evaluated")
    settings = load(found.config, reading.manifest.config_sha256)
    data_dir, _ = paths_of(settings.paths, root)
    selection = same_data(found.id, reading.manifest.dataset, data_dir, splits_folder(root))
    features = features_of(settings, selection, data_dir, root)
    refuse_other_features(found.id, reading.manifest.features, features)

    from ctexp.evaluation.metrics import headline
    from ctexp.models.weights import WeightsOrigin
    from ctexp.training.judging.measure import measure
    from ctexp.training.kernel.device import choose_device, make_repeatable
    from ctexp.training.kernel.recipe import ImageStore, build_module
    from ctexp.training.kernel.stopping import StopRequests
    from ctexp.training.memory.exhaustion import while_answering

    device = choose_device(settings.trainer.accelerator)
    make_repeatable()
    module = build_module(settings, selection, features, WeightsOrigin("random"), device)
    batches = ImageStore(settings, selection, features, data_dir, device).eval_batches(split)
    with found.lock(), StopRequests() as requests, while_answering(settings):
        summary = measure(found, module, batches, selection, split, device, requests)
    if json:
        screen.emit_json({"run_id": found.id, **summary})
        return
    print(f"{found.id}  {split}  {summary['n']} images")
    rows = headline(summary)
    scaled = summary["calibrated"]
    if scaled is not None:
        rows += [
            (f"{name} calibrated", part["value"], part["low"], part["high"])
            for name, part in scaled["metrics"].items()
        ]
    for name, value, low, high in rows:
        interval = "" if low is None or high is None else f"  95 % interval {low:.3f} to {high:.3f}"
        print(f"{name:<24}{'undefined' if value is None else f'{value:.3f}'}{interval}")
    if scaled is not None:
        screen.note(
            f"calibrated: logits divided by {scaled['temperature']:.3g}, fitted on {scaled['fitted_on']}"
        )
    for line in [*summary["notes"], *(scaled["notes"] if scaled else [])]:
        screen.note(line)
