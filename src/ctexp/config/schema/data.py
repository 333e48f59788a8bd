"""The images: which, in what order, and changed how."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ctexp.config.schema.base import Fraction, Id, NotNegative, Strict


class DataSettings(Strict):
    """Which images, and how they become arrays."""

    name: Id
    split: Literal["auto", "official", "clean", "grouped", "kfold", "time"]
    fold: Annotated[int, Field(ge=0)] | None
    sample: Annotated[int, Field(ge=8)] | None
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
            raise ValueError(
                "data.fold: data.split=kfold needs one, for example data.fold=0; "
                "scripts/inv cross-validate trains them all"
            )
        if self.split != "kfold" and self.fold is not None:
            raise ValueError(
                f"data.fold: data.split={self.split} has no folds: use data.split=kfold, or leave it out"
            )
        return self


class SamplerSettings(Strict):
    """How often an image of each class is seen in an epoch."""

    name: Literal["uniform", "class_balanced"]


class AugmentSettings(Strict):
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
    mixup: NotNegative
    cutmix: NotNegative
