"""Trained networks that answer together: the mean of their calibrated probabilities; a run is one of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ctexp.core import files
from ctexp.core.errors import DataError
from ctexp.evaluation.temperature import calibrated
from ctexp.record.cross_validation import EnsembleList, EnsembleMember
from ctexp.record.run_dir import RunDir
from ctexp.training.judging.calibrate import kept_calibration
from ctexp.training.judging.network import Trained, open_network


@dataclass(frozen=True)
class Member:
    """One of them.

    Attributes:
        trained: its network.
        temperature: what its logits are divided by; None where none belongs to its weights.
    """

    trained: Trained
    temperature: float | None

    def probabilities(self, images: Tensor, measured: NDArray[np.float64] | None) -> NDArray[np.float64]:
        """As `Ensemble.probabilities`, of this one alone."""
        features = None
        if self.trained.manifest.features is not None and measured is not None:
            from ctexp.data.radiomics.inputs import standardise  # with all that measures them: 1 s

            features = torch.from_numpy(standardise(measured, self.trained.manifest.features))
            features = features.to(images.device)
        with torch.inference_mode():
            logits = self.trained.network.answer(images, features).cpu().numpy()
        return calibrated(logits, self.temperature or 1.0)


@dataclass(frozen=True)
class Ensemble:
    """Networks of one experiment: images of one size, made in one way, suit all.

    Calibrated probabilities are averaged, not logits. The mean of calibrated networks is itself a little less
    sure than it might be (Rahaman & Thiery 2021), which is the safe side.

    Attributes:
        members: at least one, all on one device.
    """

    members: tuple[Member, ...]

    @classmethod
    def of_runs(cls, runs: Sequence[RunDir], device: torch.device) -> Self:
        """The best networks of runs of one experiment, each with the temperature that belongs to it.

        Raises:
            DataError: a record or a checkpoint is missing or damaged, or was pruned.
        """
        return cls(tuple(Member(open_network(run, device), _temperature(run)) for run in runs))

    @classmethod
    def load(cls, listed: EnsembleList, runs: Path, device: torch.device) -> Self:
        """The networks of an `ensemble.json`.

        Raises:
            DataError: a checkpoint is missing or not the one listed (all such are named, and nothing is
                loaded), or a run's record is damaged.
        """
        looked_at = [_wrong(runs / member.checkpoint, member) for member in listed.members]
        problems = [problem for problem in looked_at if problem]
        if problems or not listed.members:
            raise DataError(problems or f"{listed.id}: an ensemble of no networks", "cross-validate anew")
        return cls(
            tuple(
                Member(open_network(RunDir.open(runs / member.run_id), device), member.temperature)
                for member in listed.members
            )
        )

    @property
    def calibrated(self) -> bool:
        """Whether a temperature belongs to each network."""
        return all(member.temperature is not None for member in self.members)

    def probabilities(
        self, images: Tensor, measured: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """The mean of the members' calibrated probabilities.

        Args:
            images: uint8 (B, 1, H, W), on the networks' device.
            measured: all fifty columns of each image (B, 50) for networks that take them, which each
                standardises as in its training; None shows them the average image.

        Returns:
            Shape (B, 4).
        """
        said = [member.probabilities(images, measured) for member in self.members]
        return np.asarray(np.mean(said, axis=0))


def _temperature(run: RunDir) -> float | None:
    kept = kept_calibration(run)
    return None if kept is None else kept.temperature


def _wrong(checkpoint: Path, member: EnsembleMember) -> str | None:
    """What is wrong with a checkpoint's file."""
    if not checkpoint.is_file():
        return f"{checkpoint}: no such file"
    if files.sha256_file(checkpoint) != member.sha256:
        return f"{checkpoint}: is not the checkpoint that the ensemble lists"
    return None
