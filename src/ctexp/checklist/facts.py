"""What is kept of a run beside its marks, to say what is worth adding and how runs are organised."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ctexp.checklist.evidence import Evidence
from ctexp.core import files
from ctexp.core.dotted import flattened
from ctexp.record.segments import unsynced
from ctexp.record.subjects import SEED_KEYS

_GRADIENTS = "train/gradient_norm"


@dataclass(frozen=True)
class Facts:
    """A run among others.

    Attributes:
        parent: the cross-validation or sweep it belongs to.
        measured: whether it has figures.
        experiment: a hash of its settings but for the seed, names and places; None where they cannot be read.
        cancer: whether cancer against normal was measured on validation.
        calibrated: whether a temperature was fitted.
        gradients: whether the history has their norms.
        gpu: whether the history says how busy the GPU was; None where it had none.
        unsynced: pieces that its tracker keeps and has not sent.
        online: whether it was to be sent while it trained.
    """

    run: str
    name: str
    seed: int
    parent: str | None
    data: str
    command: str
    state: str
    measured: bool
    experiment: str | None
    cancer: bool
    calibrated: bool
    gradients: bool
    gpu: bool | None
    unsynced: int
    online: bool

    @property
    def sendable(self) -> bool:
        """Whether it has ended, and its tracker keeps something that was not sent."""
        return bool(self.unsynced) and self.state != "running"


def facts(of: Evidence) -> Facts:
    """Of a run that says what it is."""
    manifest = of.manifest
    on_gpu = bool(manifest.environment.gpus) and manifest.device in {
        gpu.name for gpu in manifest.environment.gpus
    }
    splits = of.metrics.get("splits")
    val = splits.get("val") if isinstance(splits, dict) else None
    return Facts(
        run=of.run.id,
        name=manifest.name,
        seed=manifest.seed,
        parent=manifest.origin.parent,
        data=manifest.dataset.name,
        command=manifest.command,
        state=of.state,
        measured=of.measured,
        experiment=None if of.config is None else _experiment(of.config),
        cancer=isinstance(val, dict) and "cancer" in val,
        calibrated=of.run.calibration.is_file(),
        gradients=any(row.get(_GRADIENTS) is not None for row in of.rows),
        gpu=any(row.get("gpu_percent") is not None for row in of.rows) if on_gpu else None,
        unsynced=len(unsynced(of.run.path)),
        online=manifest.tracker.mode == "online",
    )


def _experiment(config: Mapping[str, Any]) -> str:
    settings = {key: value for key, value in flattened(dict(config)).items() if not key.startswith(SEED_KEYS)}
    return files.sha256_bytes(json.dumps(settings, sort_keys=True, default=str).encode())
