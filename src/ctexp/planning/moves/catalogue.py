"""The catalogue of moves: `conf/moves/*.yaml`, data that anybody may add to."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ctexp.planning.diagnosis.findings import Kind
from ctexp.planning.plan.document import Metric, Override

Category = Literal["architecture", "training", "data", "sweep"]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Effect(_Part):
    """What is believed of a move before anything is known here.

    Attributes:
        gain: in the metric's own units, positive for better; the mean of the prior.
        sd: of the prior; wide where nobody knows.
    """

    gain: float
    sd: Annotated[float, Field(gt=0)]


class Move(_Part):
    """One change to a recipe.

    Attributes:
        category: what it changes; `sweep` for several values of one thing.
        when: it applies where any of these has been seen; empty: always.
        only_if: settings of the recipe that have to have these values, by dotted key.
        overrides: what it sets.
        scale: what it multiplies, by dotted key, instead.
        variants: several ways of doing it, by name, each a list of overrides or of factors; for `sweep`.
        hypothesis: why it may help.
        expected: what will be seen if it does.
        effects: by metric; at least that of val/macro_f1.
        source: where these come from.
        cost: of a training, as a multiple of the recipe's, where nothing is known of it.
        track: metrics to be told in the morning.
        fallback: as in a plan.
    """

    category: Category
    when: list[Kind] = Field(default_factory=list)
    only_if: dict[str, Any] = Field(default_factory=dict)
    overrides: list[Override] = Field(default_factory=list)
    scale: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    variants: dict[str, list[Override]] = Field(default_factory=dict)
    hypothesis: Annotated[str, Field(min_length=1)]
    expected: Annotated[str, Field(min_length=1)]
    effects: dict[Metric, Effect]
    source: Annotated[str, Field(min_length=1)]
    cost: Annotated[float, Field(gt=0, le=100)] = 1.0
    track: list[Metric] = Field(default_factory=list)
    fallback: dict[str, list[Override]] = Field(default_factory=dict)
