"""`evaluate`: a run's best checkpoint on a split."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ctexp.cli import evaluation_tables
from ctexp.config import verdict
from ctexp.config.compose import load, paths_of, resolve_paths
from ctexp.core import screen
from ctexp.core.classes import SPLITS
from ctexp.core.errors import DataError, UsageError
from ctexp.core.names import did_you_mean
from ctexp.core.paths import project_root, splits_folder
from ctexp.record.find import find
from ctexp.record.ledger import open_test, refuse_changed
from ctexp.record.run_dir import RunDir
from ctexp.training.dataset import features_of, refuse_other_features, same_data

_ALL = "all"
_ORDER = ("val", "train", "test")  # temperature and threshold come from val


def evaluate(
    run: str, split: str, json: bool, final: bool = False, prevalence: float | str | None = None
) -> None:
    """Predict splits with a run's best checkpoint; write and print their metrics."""
    splits = _splits(split, final)
    root = project_root()
    settings_of_verdict = verdict.load(root)
    share = settings_of_verdict.prevalence if prevalence is None else _share(prevalence)
    runs = resolve_paths(root)[1]
    found = find(runs, run)
    if final:  # refused now rather than after minutes
        refuse_changed(root, runs)
    elif "test" in splits:
        open_test(root, runs, kind="evaluate", subjects=[found], final=False)
    summaries = _measured(root, found, splits, settings_of_verdict.specificity, share)
    if json:
        one = summaries[0] if split != _ALL else {"splits": {its["split"]: its for its in summaries}}
        screen.emit_json({"run_id": found.id, **one})
        return
    for number, summary in enumerate(summaries):
        evaluation_tables.show(found.id, summary, after_another=number > 0)


def _splits(split: str, final: bool) -> Sequence[str]:
    """Those that are asked for, in the order they are predicted."""
    if split not in (*SPLITS, _ALL):
        raise UsageError(f"--split: {split!r} is no split to evaluate", did_you_mean(split, (*SPLITS, _ALL)))
    if final and split not in {"test", _ALL}:
        raise UsageError(f"--final opens the test split, not {split}", "leave it away")
    if split == _ALL:
        return _ORDER if final else _ORDER[:2]
    return (split,)


def _share(given: float | str) -> float:
    try:
        share = float(given)
    except ValueError:
        share = math.nan
    if not 0 < share < 1:
        raise UsageError(f"--prevalence: {given} is no share between 0 and 1", "for example 0.02")
    return share


def _measured(
    root: Path, run: RunDir, splits: Sequence[str], specificity: float, prevalence: float | None
) -> list[dict[str, Any]]:
    """The summaries of the splits, in the order train, val, test."""
    reading = run.read()
    if reading.manifest is None:
        raise DataError(reading.problems, "a run without a whole manifest cannot be evaluated")
    settings = load(run.config, reading.manifest.config_sha256)
    data_dir, runs = paths_of(settings.paths, root)
    selection = same_data(run.id, reading.manifest.dataset, data_dir, splits_folder(root))
    features = features_of(settings, selection, data_dir, root)
    refuse_other_features(run.id, reading.manifest.features, features)

    from ctexp.evaluation.operating import Asked
    from ctexp.models.weights import WeightsOrigin
    from ctexp.training.judging.measure import measure
    from ctexp.training.kernel.device import choose_device, make_repeatable
    from ctexp.training.kernel.recipe import ImageStore, build_module
    from ctexp.training.kernel.stopping import StopRequests
    from ctexp.training.memory.exhaustion import while_answering

    device = choose_device(settings.trainer.accelerator)
    make_repeatable()
    module = build_module(settings, selection, features, WeightsOrigin("random"), device)
    store = ImageStore(settings, selection, features, data_dir, device)
    found = {}
    with run.lock(), StopRequests() as requests, while_answering(settings):
        for split in splits:
            found[split] = measure(
                run,
                module,
                store.eval_batches(split),
                selection,
                split,
                device,
                requests,
                asked=Asked(specificity, prevalence),
                opening=(
                    (lambda: open_test(root, runs, kind="evaluate", subjects=[run], final=True))
                    if split == "test"
                    else None
                ),
            )
    return [found[split] for split in SPLITS if split in found]
