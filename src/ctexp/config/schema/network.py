"""The network: what it is made of, where its first weights come from, and which of them learn."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from ctexp.config import timm_names
from ctexp.config.schema.base import BelowOne, NotNegative, PathText, Strict


def _model_name(name: str) -> str:
    if name == "tiny_cnn" or timm_names.is_known(name):
        return name
    hint = timm_names.nearest(name) or "timm.list_models() lists them"
    raise ValueError(f"{name!r} is neither tiny_cnn nor a model of timm; {hint}")


def _channels(value: Any) -> Any:
    # A strict Literal still takes what equals one of its numbers: True and 1.0.
    return value if type(value) is int else str(value)


class ModelSettings(Strict):
    """The network and where its first weights come from."""

    name: Annotated[str, AfterValidator(_model_name), Field(description="tiny_cnn or a model of timm")]
    pretrained: bool
    weights: PathText | None
    in_channels: Annotated[Literal[1, 3], BeforeValidator(_channels)]
    attention: Literal["none", "se", "cbam"]
    fusion: Literal["none", "concat", "gated"]
    dropout: BelowOne
    stochastic_depth: BelowOne

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
        if self.stochastic_depth and self.name == "tiny_cnn":
            raise ValueError("model.stochastic_depth: tiny_cnn has no residual branches to leave out; use 0")
        return self


class FeaturesSettings(Strict):
    """Which radiomics features stand beside the image, and how often they are withheld."""

    name: Literal["none", "all_features", "top_features", "bottom_features"]
    dropout: BelowOne


class FinetuneSettings(Strict):
    """Which parts of the network learn when, and how fast; a stage is a step of the backbone's depth."""

    head_epochs: NotNegative
    stage_epochs: NotNegative
    frozen_stages: Annotated[int, Field(ge=0, le=100)]
    layer_decay: Annotated[float, Field(gt=0, le=1)]
