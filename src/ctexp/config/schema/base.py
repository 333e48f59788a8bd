"""What every part of the configuration is made of: exact types, and the kinds of value that recur."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

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


class Strict(BaseModel):
    """Exact types, no unknown keys, finite numbers, no change after validation."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)
