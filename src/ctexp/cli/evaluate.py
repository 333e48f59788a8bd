"""`evaluate`: a run's best checkpoint on a split."""

import math
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from ctexp.cli import evaluation_tables
from ctexp.cli.meant import experiment
from ctexp.config import verdict
from ctexp.config.compose import load, paths_of, resolve_paths
from ctexp.core import screen
from ctexp.core.classes import SPLITS
from ctexp.core.errors import DataError, UsageError
from ctexp.core.names import did_you_mean
from ctexp.core.paths import ledger_file, project_root, shown, splits_folder
from ctexp.record.ledger import open_test, refuse_changed
from ctexp.record.look import Look
from ctexp.record.run_dir import RunDir
from ctexp.record.subjects import Subject
from ctexp.training.dataset import features_of, refuse_other_features, same_data

_ALL = "all"
_ORDER = ("val", "train", "test")  # temperature and threshold come from val


def evaluate(
    run: str, split: str, json: bool, final: bool = False, prevalence: float | str | None = None
) -> None:
    """Predict splits with the best checkpoints of a run, or of a name's seeds; write and print metrics."""
    splits = _splits(split, final)
    if final and not run:
        raise UsageError("--final: which run is to open the test split?", "name it: --run RUN")
    root = project_root()
    asked = verdict.load(root)
    share = asked.prevalence if prevalence is None else _share(prevalence)
    runs = resolve_paths(root)[1]
    found = _found(root, run or "latest")
    opening = cache(partial(open_test, root, runs, kind="evaluate", subjects=found.runs, final=final))
    if final:  # refused now rather than after minutes
        refuse_changed(root, runs)
    elif "test" in splits:
        opening()
    summaries = {
        one.id: _measured(root, one, splits, asked.specificity, share, opening) for one in found.runs
    }
    if json:
        told = [_document(run_id, its, split) for run_id, its in summaries.items()]
        screen.emit_json(told[0] if found.kind == "run" else {"name": found.title, "runs": told})
        return
    number = 0
    for run_id, its in summaries.items():
        for summary in its:
            evaluation_tables.show(run_id, summary, after_another=number > 0)
            number += 1
    if final:
        screen.note(f"commit the look: git add {shown(ledger_file(root))}")


def _found(root: Path, said: str) -> Subject:
    """The runs that are meant.

    Raises:
        UsageError: a cross-validation is meant, whose figures are made with it.
    """
    found = experiment(root, said)
    if found.place is not None:
        raise UsageError(
            f"--run: {found.title} is a cross-validation, judged out of fold when it ended",
            f"see it: scripts/inv show {found.title}; or name one of its runs",
        )
    for note in found.notes:
        screen.note(note)
    return found


def _document(run_id: str, summaries: Sequence[dict[str, Any]], split: str) -> dict[str, Any]:
    if split == _ALL:
        return {"run_id": run_id, "splits": {its["split"]: its for its in summaries}}
    return {"run_id": run_id, **summaries[0]}


def _splits(split: str, final: bool) -> Sequence[str]:
    """Those that are asked for, in the order they are predicted."""
    if split not in (*SPLITS, _ALL):
        raise UsageError(f"--split: {split!r} is no split to evaluate", did_you_mean(split, (*SPLITS, _ALL)))
    if final and split not in {"test", _ALL}:
        raise UsageError(f"--final opens the test split, not {split}", "leave it out")
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
    root: Path,
    run: RunDir,
    splits: Sequence[str],
    specificity: float,
    prevalence: float | None,
    opening: Callable[[], Look],
) -> list[dict[str, Any]]:
    """The summaries of the splits, in the order train, val, test."""
    reading = run.read()
    if reading.manifest is None:
        raise DataError(reading.problems, "a run without a whole manifest cannot be evaluated")
    settings = load(run.config, reading.manifest.config_sha256)
    data_dir, _ = paths_of(settings.paths, root)
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
                opening=opening if split == "test" else None,
            )
    return [found[split] for split in SPLITS if split in found]
