"""What a training says about itself in its manifest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ctexp.config.schema import Settings
from ctexp.config.workload import workload
from ctexp.core import clock
from ctexp.core.dotted import flattened
from ctexp.data.radiomics.inputs import FeatureInputs
from ctexp.models.build import parameter_count
from ctexp.models.weights import WeightsOrigin
from ctexp.record.environment import Environment, computes_on
from ctexp.record.git import GitState
from ctexp.record.manifest import (
    Attempt,
    Checkpoint,
    Dataset,
    Estimate,
    Manifest,
    Model,
    Origin,
    Tracker,
    Weights,
)
from ctexp.record.result import Deviation
from ctexp.training.kernel.module import Classifier

_TELLING = (
    "model.name",
    "model.pretrained",
    "data.image_size",
    "data.batch_size",
    "features.name",
    "loss.name",
    "optimizer.name",
    "optimizer.lr",
    "optimizer.weight_decay",
    "scheduler.name",
    "trainer.max_epochs",
    "trainer.monitor",
)
"""The settings that tell runs apart most often."""


@dataclass(frozen=True)
class Circumstances:
    """What is the same for every document of one attempt.

    Attributes:
        argv: the words of the command as this process got them.
        command: the same, to copy and paste.
    """

    argv: tuple[str, ...]
    command: str
    overrides: tuple[str, ...]
    config_sha256: str
    git: GitState
    environment: Environment
    variables: Mapping[str, str]
    parent: str | None


def manifest(
    run_id: str,
    settings: Settings,
    dataset: Dataset,
    features: FeatureInputs | None,
    module: Classifier,
    origin: WeightsOrigin,
    about: Circumstances,
    estimate: Estimate | None,
) -> Manifest:
    """The manifest of a run that is about to begin."""
    document = settings.model_dump(mode="json")
    settings_by_key = flattened(document)
    return Manifest(
        run_id=run_id,
        name=run_name(settings),
        description=settings.run.description,
        tags=tuple(settings.run.tags),
        created=clock.iso(clock.now()),
        argv=about.argv,
        command=about.command,
        git=about.git,
        seed=settings.seed,
        overrides=about.overrides,
        config_sha256=about.config_sha256,
        dataset=dataset,
        environment=about.environment,
        preprocessing=_preprocessing(settings.unwatched()),
        features=dict(features.record) if features else None,
        model=Model(name=settings.model.name, parameters=parameter_count(module.model)),
        weights=Weights(source=origin.source, sha256=origin.sha256),
        hyperparameters={name: settings_by_key[name] for name in _TELLING},
        device=computes_on(document["trainer"]["accelerator"]),
        workload=workload(document),
        tracker=tracker(run_id, 1, settings),
        estimate=estimate,
        origin=Origin.of(about.variables, about.parent),
    )


def attempt(
    run_id: str,
    number: int,
    settings: Settings,
    about: Circumstances,
    resumed_from: Checkpoint | None,
    deviations: tuple[Deviation, ...] = (),
) -> Attempt:
    """One start of a run that is about to begin."""
    return Attempt(
        run_id=run_id,
        number=number,
        argv=about.argv,
        git=about.git,
        environment=about.environment,
        tracker=tracker(run_id, number, settings),
        resumed_from=resumed_from,
        deviations=deviations,
        devices=settings.trainer.devices,
        begin=clock.iso(clock.now()),
    )


def tracker(run_id: str, number: int, settings: Settings) -> Tracker:
    """The trackers of one attempt; their id is known before anything trains."""
    logger = settings.logger
    first, *others = logger.kinds or ("none",)
    return Tracker(
        kind=first,
        also=tuple(others),
        run_id=f"{run_id}-{number}" if logger.kinds else None,
        mode=logger.mode if "wandb" in logger.kinds else None,
        url=logger.url if "mlflow" in logger.kinds else None,
    )


def run_name(settings: Settings) -> str:
    """`run.name`, which composing fills in; else the model's name."""
    return settings.run.name or settings.model.name


def _preprocessing(settings: Settings) -> dict[str, Any]:
    data = settings.data
    return {
        "grey": "RGB by ITU-R 601; alpha over black",
        "image_size": data.image_size,
        "resize": data.resize,
        "scale": "grey level / 255, minus mean, divided by std",
        "mean": data.mean,
        "std": data.std,
        "channels": settings.model.in_channels,
    }
