"""Everything a run depends on, and what must hold between its parts."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from ctexp.config.schema.base import Strict
from ctexp.config.schema.data import AugmentSettings, DataSettings, SamplerSettings
from ctexp.config.schema.learning import (
    AveragingSettings,
    LossSettings,
    OneCycleSettings,
    OptimizerSettings,
    SchedulerSettings,
)
from ctexp.config.schema.network import FeaturesSettings, FinetuneSettings, ModelSettings
from ctexp.config.schema.running import (
    GitSettings,
    InferenceSettings,
    LoggerSettings,
    PathSettings,
    RunSettings,
    TrainerSettings,
)


class Settings(Strict):
    """Everything a run depends on."""

    seed: Annotated[int, Field(ge=0, le=2**32 - 1)]
    run: RunSettings
    git: GitSettings
    paths: PathSettings
    model: ModelSettings
    data: DataSettings
    sampler: SamplerSettings
    augment: AugmentSettings
    features: FeaturesSettings
    finetune: FinetuneSettings
    loss: LossSettings
    optimizer: OptimizerSettings
    scheduler: SchedulerSettings
    averaging: AveragingSettings
    trainer: TrainerSettings
    inference: InferenceSettings
    logger: LoggerSettings

    @model_validator(mode="after")
    def _features_meet_a_network_that_takes_them(self) -> Self:
        if self.features.name != "none" and self.model.fusion == "none":
            raise ValueError(
                f"features: {self.features.name} would not be read, the network looks at the image alone; "
                "use model=dual_pathway or model.fusion=concat"
            )
        if self.features.name == "none" and self.model.fusion != "none":
            raise ValueError(
                f"features: model.fusion={self.model.fusion} needs some, for example features=all_features"
            )
        if self.features.name == "none" and self.features.dropout:
            raise ValueError("features.dropout: there are no features to withhold; use 0")
        return self

    @model_validator(mode="after")
    def _warmup_ends_before_training(self) -> Self:
        if isinstance(self.scheduler, OneCycleSettings):
            return self
        if self.scheduler.warmup_epochs >= self.trainer.max_epochs:
            raise ValueError(
                f"scheduler.warmup_epochs: {self.scheduler.warmup_epochs:g} is not less than "
                f"trainer.max_epochs={self.trainer.max_epochs}: the learning rate would never be reached"
            )
        return self
