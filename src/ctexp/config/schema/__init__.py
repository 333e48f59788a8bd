"""What a configuration may say: every key, its type and its range.

Strict on purpose: no text becomes a number, no unknown key passes, no float is infinite or NaN. Nothing has
a default here; the defaults are in `conf/`, where they can be read and changed, and a key that is missing
there is an error. A field's `description` is what error messages say was expected.
"""

from ctexp.config.schema.data import AugmentSettings, DataSettings, SamplerSettings
from ctexp.config.schema.learning import (
    AdamWSettings,
    AveragingSettings,
    BalancedSoftmaxSettings,
    ClassBalancedSettings,
    ConstantSettings,
    CosineSettings,
    CrossEntropySettings,
    EmaSettings,
    FocalSettings,
    LionSettings,
    LossSettings,
    NoAveragingSettings,
    OneCycleSettings,
    OptimizerSettings,
    PairwiseConfusionSettings,
    PlateauSettings,
    SchedulerSettings,
    SgdSettings,
    StepSettings,
    SwaSettings,
)
from ctexp.config.schema.network import FeaturesSettings, FinetuneSettings, ModelSettings
from ctexp.config.schema.running import (
    EarlyStoppingSettings,
    GitSettings,
    InferenceSettings,
    LoggerSettings,
    PathSettings,
    RunSettings,
    TrainerSettings,
)
from ctexp.config.schema.settings import Settings

__all__ = [
    "AdamWSettings",
    "AugmentSettings",
    "AveragingSettings",
    "BalancedSoftmaxSettings",
    "ClassBalancedSettings",
    "ConstantSettings",
    "CosineSettings",
    "CrossEntropySettings",
    "DataSettings",
    "EarlyStoppingSettings",
    "EmaSettings",
    "FeaturesSettings",
    "FinetuneSettings",
    "FocalSettings",
    "GitSettings",
    "InferenceSettings",
    "LionSettings",
    "LoggerSettings",
    "LossSettings",
    "ModelSettings",
    "NoAveragingSettings",
    "OneCycleSettings",
    "OptimizerSettings",
    "PairwiseConfusionSettings",
    "PathSettings",
    "PlateauSettings",
    "RunSettings",
    "SamplerSettings",
    "SchedulerSettings",
    "Settings",
    "SgdSettings",
    "StepSettings",
    "SwaSettings",
    "TrainerSettings",
]
