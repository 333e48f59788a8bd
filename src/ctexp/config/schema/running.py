"""How a run is called, carried out, watched and recorded."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from ctexp.config.schema.base import Id, NotNegative, PathText, Positive, Strict
from ctexp.core import metric_names
from ctexp.core.errors import UsageError


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


class RunSettings(Strict):
    """What people call a run."""

    name: Id | None
    tags: list[Annotated[str, Field(min_length=1, max_length=64)]]
    description: Annotated[str, Field(max_length=10_000)]


class GitSettings(Strict):
    """What to do about uncommitted changes."""

    dirty: Literal["ask", "warn", "refuse"]


class PathSettings(Strict):
    """Where the large folders are: absolute, or relative to the project's root."""

    data: PathText
    runs: PathText


class EarlyStoppingSettings(Strict):
    """When the monitored metric has stopped improving."""

    patience: Annotated[int, Field(ge=1)]
    min_delta: NotNegative


class TrainerSettings(Strict):
    """How long, on what, watching what."""

    max_epochs: Annotated[int, Field(ge=1)]
    max_minutes: Positive | None
    accelerator: Literal["auto", "cpu", "gpu"]
    # Runs from before there was a choice have one, and say nothing of it.
    devices: Annotated[int, Field(ge=1, le=64)] = 1
    precision: Annotated[Literal["auto", "32", "bf16", "16"], BeforeValidator(_precision)]
    channels_last: bool
    compile: bool
    monitor: Annotated[str, AfterValidator(_monitor), Field(description="a metric such as val/macro_f1")]
    accumulate_grad_batches: Annotated[int, Field(ge=1, le=1024)]
    gradient_clip: Positive | None
    on_oom: Literal["stop", "retry"]
    early_stopping: EarlyStoppingSettings | None

    @model_validator(mode="after")
    def _precision_fits_the_accelerator(self) -> Self:
        if self.accelerator == "cpu" and self.precision == "16":
            raise ValueError("trainer.precision: 16 needs a GPU; use 32 or bf16 with trainer.accelerator=cpu")
        return self

    @model_validator(mode="after")
    def _devices_are_not_compiled_for(self) -> Self:
        if self.devices > 1 and self.compile:
            raise ValueError("trainer.compile: true works on one device; use trainer.devices=1 or false")
        return self


class InferenceSettings(Strict):
    """How a trained network is asked."""

    tta: Literal["none", "flip", "flip_shift"]


class LoggerSettings(Strict):
    """Where metrics go besides the run directory; runs from before `also` and `url` say nothing of them."""

    name: Literal["wandb", "mlflow", "tensorboard", "comet", "csv", "none"]
    also: list[Literal["wandb", "mlflow", "tensorboard", "comet", "csv"]] = Field(default_factory=list)
    mode: Literal["offline", "online"]
    project: Annotated[
        str,
        Field(pattern=r"^[^/\\#?%:\x00-\x1f\x7f]{1,128}$", description="a name without / \\ # ? % :"),
    ]
    entity: Annotated[str, Field(min_length=1, max_length=128)] | None
    url: (
        Annotated[
            str,
            Field(
                pattern=r"^(https?://[^\s@/]+(/[^\s@]*)?|sqlite:////[^\s?]+)$",
                description="http://HOST:PORT without a password, or sqlite:////ABSOLUTE/PATH.db",
            ),
        ]
        | None
    ) = None
    log_model: Literal["none", "best"]
    timeout: Positive

    @property
    def kinds(self) -> tuple[str, ...]:
        """The trackers by name, without `none`."""
        return tuple(name for name in (self.name, *self.also) if name != "none")

    @model_validator(mode="after")
    def _each_tracker_once(self) -> Self:
        if twice := sorted({name for name in self.kinds if self.kinds.count(name) > 1}):
            raise ValueError(f"logger.also: {', '.join(twice)} is named twice")
        return self
