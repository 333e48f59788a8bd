"""Finished runs of one experiment, opened to ask what their networks rely on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ctexp.config.compose import load, paths_of
from ctexp.config.schema import Settings
from ctexp.core.dotted import flattened
from ctexp.core.errors import DataError, UsageError
from ctexp.core.paths import splits_folder
from ctexp.data.batches import labels_of
from ctexp.data.radiomics.inputs import FeatureInputs
from ctexp.data.selection import Selection
from ctexp.models.dual_pathway import DualPathway
from ctexp.record.checkpoint_files import BEST
from ctexp.record.pruned import told
from ctexp.record.run_dir import RunDir
from ctexp.training.dataset import features_of, refuse_other_features, same_data
from ctexp.training.judging import importance
from ctexp.training.judging.importance import ColumnImportance, Subject
from ctexp.training.judging.network import open_network
from ctexp.training.kernel.device import choose_device, make_repeatable
from ctexp.training.kernel.recipe import ImageStore

_MAY_DIFFER = ("seed", "run.", "git.", "paths.", "logger.")
"""Settings that leave an experiment the same."""

_DATA = ("catalog_sha256", "split", "fold", "split_sha256", "sample")


@dataclass(frozen=True)
class Opened:
    """Runs that differ by their seed alone.

    Attributes:
        runs: at least one.
        settings: of each.
        selection: the images of all.
        features: what all were given beside them.
    """

    runs: tuple[RunDir, ...]
    settings: tuple[Settings, ...]
    selection: Selection
    features: FeatureInputs

    @property
    def groups(self) -> NDArray[np.int64]:
        """The group of each validation image as 0..G-1."""
        names = [row.group for row in self.selection.rows["val"]]
        return np.unique(names, return_inverse=True)[1].astype(np.int64)


def open_runs(runs: Sequence[RunDir], root: Path) -> Opened:
    """Open runs of one experiment.

    Raises:
        UsageError: they differ by more than their seed; the differing keys are named.
        DataError: one has not finished, has no features, or its data or features are not what they were.
    """
    if len({run.id for run in runs}) < len(runs):
        raise UsageError("--run: a run is named twice", "name each once")
    readings = [run.read() for run in runs]
    problems = []
    for run, reading in zip(runs, readings, strict=True):
        if reading.manifest is None or reading.state != "finished":
            problems.append(f"{run.id}: {reading.state}, not finished")
        elif reading.manifest.features is None:
            problems.append(f"{run.id}: its network looks at the image alone")
        elif pruned := told(run, BEST):
            problems.append(pruned)
    if problems:
        raise DataError(problems, "name finished runs of model=dual_pathway with their checkpoints")
    manifests = [reading.manifest for reading in readings if reading.manifest is not None]
    settings = [load(run.config, one.config_sha256) for run, one in zip(runs, manifests, strict=True)]
    facts = [
        {
            **flattened(its.model_dump(mode="json")),
            **{f"dataset.{key}": getattr(one.dataset, key) for key in _DATA},
            "features.columns": (one.features or {})["columns"],
            "features.table_sha256": (one.features or {})["table_sha256"],
        }
        for its, one in zip(settings, manifests, strict=True)
    ]
    _refuse_differing(runs, facts)
    data_dir, _ = paths_of(settings[0].paths, root)
    selection = same_data(runs[0].id, manifests[0].dataset, data_dir, splits_folder(root))
    features = features_of(settings[0], selection, data_dir, root)
    for run, one in zip(runs, manifests, strict=True):
        refuse_other_features(run.id, one.features, features)
    assert features is not None  # noqa: S101 - for the type checker: refused above
    return Opened(tuple(runs), tuple(settings), selection, features)


def _refuse_differing(runs: Sequence[RunDir], facts: Sequence[Mapping[str, Any]]) -> None:
    problems = []
    for run, its in zip(runs[1:], facts[1:], strict=True):
        keys = sorted(
            key
            for key in facts[0].keys() | its.keys()
            if not key.startswith(_MAY_DIFFER) and facts[0].get(key) != its.get(key)
        )
        if keys:
            problems.append(f"--run: {run.id} differs from {runs[0].id} in {', '.join(keys)}")
    if problems:
        raise UsageError(problems, "name runs of one experiment that differ by their seed alone")


def judge(opened: Opened, repeats: int, data_dir: Path) -> list[ColumnImportance]:
    """What the networks rely on, on the validation split: the columns, the most important first.

    Args:
        opened: the runs.
        repeats: permutations of each column, at least 2.
        data_dir: the data folder.

    Raises:
        DataError: a checkpoint or an image is missing or damaged, or the images are all of one group.
    """
    groups, labels = opened.groups, labels_of(opened.selection.rows["val"])
    if groups.max() == 0:
        raise DataError(
            "the validation images are all of one group: nothing can be dealt between groups",
            f"train on another split: scripts/inv data-split --dataset {opened.selection.catalog.name} "
            "--scheme grouped, then data.split=grouped",
        )
    orders = importance.deals(groups, repeats)
    effects, attributions = [], []
    for run, settings in zip(opened.runs, opened.settings, strict=True):
        subject = _subject(run, settings, opened, data_dir)
        effects.append(importance.permute(subject, orders))
        attributions.append(importance.integrated_gradients(subject))
    training = opened.features.values["train"]
    return importance.rank(opened.features.columns, effects, attributions, labels, groups, training)


def _subject(run: RunDir, settings: Settings, opened: Opened, data_dir: Path) -> Subject:
    """A run's best network, its image pathway worked through once."""
    device = choose_device(settings.trainer.accelerator)
    make_repeatable()
    selection, features = opened.selection, opened.features
    network = open_network(run, device).network
    dual = network.model
    assert isinstance(dual, DualPathway)  # noqa: S101 - for the type checker: it takes features
    seen: list[torch.Tensor] = []
    hook = dual.image.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    with torch.no_grad():  # not inference mode, whose tensors no gradient may come near
        for batch in ImageStore(settings, selection, features, data_dir, device).eval_batches("val"):
            network(batch.images.to(device))
    hook.remove()
    return Subject(
        joined=dual.joined,
        image=torch.cat(seen),
        features=torch.from_numpy(features.values["val"]).to(device),
        labels=torch.from_numpy(labels_of(selection.rows["val"])).to(device),
    )
