"""Several trained networks as one: the mean of their calibrated probabilities."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import torch

from ctexp.config.compose import load as load_settings
from ctexp.config.compose import paths_of
from ctexp.core import files
from ctexp.core.errors import DataError
from ctexp.core.paths import splits_folder
from ctexp.data.batches import EvalBatches
from ctexp.data.catalog import ImageRow
from ctexp.evaluation.out_of_fold import averaged
from ctexp.evaluation.predictions import Predictions
from ctexp.models.weights import WeightsOrigin
from ctexp.record.cross_validation import EnsembleList, EnsembleMember
from ctexp.record.manifest import Manifest
from ctexp.record.run_dir import RunDir
from ctexp.training.dataset import features_of, refuse_other_features, same_data
from ctexp.training.judging.predict import predict
from ctexp.training.kernel import checkpoints
from ctexp.training.kernel.module import Classifier
from ctexp.training.kernel.recipe import build_module


@dataclass(frozen=True)
class Network:
    """One of them: what it is, and itself with its best weights."""

    member: EnsembleMember
    module: Classifier


class Ensemble:
    """Networks that answer together.

    Calibrated probabilities are averaged, not logits. The mean of calibrated networks is itself a little less
    sure than it might be (Rahaman & Thiery 2021), which is the safe side.

    Args:
        networks: at least one.
        device: where they compute, one after the other.
    """

    def __init__(self, networks: Sequence[Network], device: torch.device) -> None:
        self.networks = tuple(networks)
        self._device = device

    @classmethod
    def load(cls, listed: EnsembleList, runs: Path, root: Path, device: torch.device) -> Self:
        """Load the networks of an `ensemble.json`.

        Args:
            listed: the document.
            runs: the folder of all runs.
            root: the project's folder.
            device: where they will compute.

        Raises:
            DataError: a checkpoint is missing or not the one listed (all such are named, and nothing is
                loaded), a run's record is damaged, or the data it was trained on are gone.
        """
        looked_at = [_wrong(runs / member.checkpoint, member) for member in listed.members]
        problems = [problem for problem in looked_at if problem]
        if problems or not listed.members:
            raise DataError(problems or f"{listed.id}: an ensemble of no networks", "cross-validate anew")
        return cls([_loaded(member, runs, root, device) for member in listed.members], device)

    def predict(
        self,
        batches: Callable[[Network], EvalBatches],
        rows: Sequence[ImageRow],
        *,
        between: Callable[[], None] = lambda: None,
    ) -> Predictions:
        """Look at images with every network, each in the views that it was configured for.

        Args:
            batches: the images as a network takes them, in the order of `rows`: the same for all, but for
                features, which each standardises by its own training images.
            rows: the images' catalog rows.
            between: called after every batch; it may raise to stop.

        Returns:
            One prediction per row, in the order of ids; the logits are logarithms of the mean probabilities.
        """
        found = []
        for network in self.networks:
            tta = network.module.settings.inference.tta
            its = predict(network.module, batches(network), rows, self._device, tta=tta, between=between)
            network.module.cpu()  # one at a time on the device
            found.append(replace(its, logits=(its.logits / network.member.temperature).astype(np.float32)))
        return averaged(found)


def _wrong(checkpoint: Path, member: EnsembleMember) -> str | None:
    """What is wrong with a checkpoint's file."""
    if not checkpoint.is_file():
        return f"{checkpoint}: no such file"
    if files.sha256_file(checkpoint) != member.sha256:
        return f"{checkpoint}: is not the checkpoint that the ensemble lists"
    return None


def _loaded(member: EnsembleMember, runs: Path, root: Path, device: torch.device) -> Network:
    """A member's network with its best weights, on the CPU until it is asked."""
    run = RunDir.open(runs / member.run_id)
    manifest = Manifest.read(run.manifest)
    settings = load_settings(run.config, manifest.config_sha256)
    data_dir, _ = paths_of(settings.paths, root)
    selection = same_data(run.id, manifest.dataset, data_dir, splits_folder(root))
    features = features_of(settings, selection, data_dir, root)
    refuse_other_features(run.id, manifest.features, features)
    module = build_module(settings, selection, features, WeightsOrigin("random"), device)
    module.adopt(checkpoints.load(runs / member.checkpoint)["state_dict"])
    return Network(member, module)
