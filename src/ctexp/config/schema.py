"""What a configuration may say: every key, its type and its range.

Strict on purpose: no text becomes a number, no unknown key passes, no float is infinite or NaN. Nothing has
a default here; the defaults are in `conf/`, where they can be read and changed, and a key that is missing
there is an error. A field's `description` is what error messages say was expected.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from ctexp.config import timm_names
from ctexp.core import metric_names
from ctexp.core.errors import UsageError
from ctexp.core.names import ID_PATTERN

Fraction = Annotated[float, Field(ge=0, le=1)]
BelowOne = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Id = Annotated[
    str,
    Field(
        pattern=f"^{ID_PATTERN.pattern}$",
        description="a name of at most 64 lower-case letters, digits, '_' and '-'",
    ),
]
PathText = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]+$", description="a path")]


def _model_name(name: str) -> str:
    if name == "tiny_cnn" or timm_names.is_known(name):
        return name
    hint = timm_names.nearest(name) or "timm.list_models() lists them"
    raise ValueError(f"{name!r} is neither tiny_cnn nor a model of timm; {hint}")


def _channels(value: Any) -> Any:
    # A strict Literal still takes what equals one of its numbers: True and 1.0.
    return value if type(value) is int else str(value)


def _precision(value: Any) -> Any:
    # 32 and 16 are numbers in YAML and on the command line, names here.
    return str(value) if type(value) is int else value


def _monitor(metric: str) -> str:
    try:
        name = metric_names.canonical(metric)
    except UsageError as error:
        raise ValueError(str(error)) from error
    if name.startswith("val/"):
        return name
    reason = (
        "the test split is sealed" if name.startswith("test/") else "training metrics do not show overfitting"
    )
    better = f"val/{name.partition('/')[2]}"
    raise ValueError(f"{metric!r} cannot choose a model, {reason}; selection uses validation: {better}")


class _Strict(BaseModel):
    """Exact types, no unknown keys, finite numbers, no change after validation."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class RunSettings(_Strict):
    """What people call a run."""

    name: Id | None
    tags: list[Annotated[str, Field(min_length=1, max_length=64)]]
    description: Annotated[str, Field(max_length=10_000)]


class GitSettings(_Strict):
    """What to do about uncommitted changes."""

    dirty: Literal["ask", "warn", "refuse"]


class PathSettings(_Strict):
    """Where the large folders are: absolute, or relative to the project's root."""

    data: PathText
    runs: PathText


class ModelSettings(_Strict):
    """The network and where its first weights come from."""

    name: Annotated[str, AfterValidator(_model_name), Field(description="tiny_cnn or a model of timm")]
    pretrained: bool
    weights: PathText | None
    in_channels: Annotated[Literal[1, 3], BeforeValidator(_channels)]
    fusion: Literal["none", "concat"]
    dropout: BelowOne

    @model_validator(mode="after")
    def _weights_make_sense(self) -> Self:
        if self.weights is not None and not self.pretrained:
            raise ValueError("model.weights: needs model.pretrained=true, or it would not be read")
        if self.pretrained and self.name == "tiny_cnn":
            raise ValueError(
                "model.pretrained: tiny_cnn has no pretrained weights; set model.pretrained=false"
            )
        if self.pretrained and self.weights is None and not timm_names.has_weights(self.name):
            raise ValueError(
                f"model.pretrained: timm has no published weights for {self.name}; "
                "set model.pretrained=false, or model.weights to a file"
            )
        return self


class DataSettings(_Strict):
    """Which images, and how they become arrays."""

    name: Id
    split: Literal["auto", "official", "clean", "grouped", "kfold", "time"]
    fold: Annotated[int, Field(ge=0)] | None
    image_size: Annotated[int, Field(ge=16, le=1024)]
    resize: Literal["pad", "stretch"]
    batch_size: Annotated[int, Field(ge=1, le=4096)]
    eval_batch_size: Annotated[int, Field(ge=1, le=4096)]
    cache: Literal["disk", "none"]
    mean: Fraction
    std: Annotated[float, Field(gt=0, le=1)]

    @model_validator(mode="after")
    def _a_fold_is_of_kfold(self) -> Self:
        if self.split == "kfold" and self.fold is None:
            raise ValueError("data.fold: data.split=kfold needs one, for example data.fold=0")
        if self.split != "kfold" and self.fold is not None:
            raise ValueError(
                f"data.fold: data.split={self.split} has no folds: use data.split=kfold, or leave it away"
            )
        return self


class AugmentSettings(_Strict):
    """Random changes to training images; 0 switches one off."""

    horizontal_flip: Fraction
    vertical_flip: Fraction
    rotation: Annotated[float, Field(ge=0, le=180)]
    scale: Annotated[float, Field(ge=0, le=0.9)]
    translate: Fraction
    crop: Fraction
    elastic: Annotated[float, Field(ge=0, le=0.1)]
    brightness: Fraction
    contrast: Fraction
    gamma: Fraction
    jpeg: Annotated[float, Field(ge=0, le=0.99)]
    noise: Fraction
    erasing: Fraction


class FeaturesSettings(_Strict):
    """Which radiomics features stand beside the image."""

    name: Literal["none", "all_features", "top_features", "bottom_features"]


class LossSettings(_Strict):
    """What training minimises."""

    name: Literal["cross_entropy"]
    label_smoothing: BelowOne
    class_weights: Literal["none", "balanced"]


class AdamWSettings(_Strict):
    """AdamW (Loshchilov and Hutter 2019)."""

    name: Literal["adamw"]
    lr: Positive
    weight_decay: NotNegative
    beta1: BelowOne
    beta2: BelowOne


class SgdSettings(_Strict):
    """Stochastic gradient descent with momentum."""

    name: Literal["sgd"]
    lr: Positive
    weight_decay: NotNegative
    momentum: BelowOne
    nesterov: bool

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> Self:
        if self.nesterov and self.momentum == 0:
            raise ValueError("optimizer.nesterov: needs optimizer.momentum above 0")
        return self


OptimizerSettings = Annotated[AdamWSettings | SgdSettings, Field(discriminator="name")]


class CosineSettings(_Strict):
    """Cosine decay to `min_lr_ratio` of the learning rate."""

    name: Literal["cosine"]
    warmup_epochs: NotNegative
    min_lr_ratio: Fraction


class StepSettings(_Strict):
    """Times `gamma` every `step_epochs` epochs."""

    name: Literal["step"]
    warmup_epochs: NotNegative
    step_epochs: Annotated[int, Field(ge=1)]
    gamma: Annotated[float, Field(gt=0, le=1)]


class PlateauSettings(_Strict):
    """Times `factor` when the monitored metric has not improved for more than `patience` epochs."""

    name: Literal["plateau"]
    warmup_epochs: NotNegative
    patience: Annotated[int, Field(ge=0)]
    factor: Annotated[float, Field(gt=0, lt=1)]


class ConstantSettings(_Strict):
    """One learning rate after the warm-up."""

    name: Literal["constant"]
    warmup_epochs: NotNegative


SchedulerSettings = Annotated[
    CosineSettings | StepSettings | PlateauSettings | ConstantSettings, Field(discriminator="name")
]


class EarlyStoppingSettings(_Strict):
    """When the monitored metric has stopped improving."""

    patience: Annotated[int, Field(ge=1)]
    min_delta: NotNegative


class TrainerSettings(_Strict):
    """How long, on what, watching what."""

    max_epochs: Annotated[int, Field(ge=1)]
    accelerator: Literal["auto", "cpu", "gpu"]
    precision: Annotated[Literal["auto", "32", "bf16", "16"], BeforeValidator(_precision)]
    channels_last: bool
    monitor: Annotated[str, AfterValidator(_monitor), Field(description="a metric such as val/macro_f1")]
    gradient_clip: Positive | None
    early_stopping: EarlyStoppingSettings | None

    @model_validator(mode="after")
    def _precision_fits_the_accelerator(self) -> Self:
        if self.accelerator == "cpu" and self.precision == "16":
            raise ValueError("trainer.precision: 16 needs a GPU; use 32 or bf16 with trainer.accelerator=cpu")
        return self


class LoggerSettings(_Strict):
    """Where metrics go besides the run directory."""

    name: Literal["wandb", "csv", "none"]
    mode: Literal["offline", "online"]
    project: Annotated[
        str,
        Field(pattern=r"^[^/\\#?%:\x00-\x1f\x7f]{1,128}$", description="a name without / \\ # ? % :"),
    ]
    entity: Annotated[str, Field(min_length=1, max_length=128)] | None
    log_model: Literal["none", "best"]
    timeout: Positive


class Settings(_Strict):
    """Everything a run depends on."""

    seed: Annotated[int, Field(ge=0, le=2**32 - 1)]
    run: RunSettings
    git: GitSettings
    paths: PathSettings
    model: ModelSettings
    data: DataSettings
    augment: AugmentSettings
    features: FeaturesSettings
    loss: LossSettings
    optimizer: OptimizerSettings
    scheduler: SchedulerSettings
    trainer: TrainerSettings
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
        return self

    @model_validator(mode="after")
    def _warmup_ends_before_training(self) -> Self:
        if self.scheduler.warmup_epochs >= self.trainer.max_epochs:
            raise ValueError(
                f"scheduler.warmup_epochs: {self.scheduler.warmup_epochs:g} is not less than "
                f"trainer.max_epochs={self.trainer.max_epochs}: the learning rate would never be reached"
            )
        return self
