"""A move: one change to a recipe, and what is believed of it; as `conf/moves/*.yaml` says it."""

from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ctexp.planning.diagnosis.findings import Kind
from ctexp.planning.moves.value import Belief
from ctexp.planning.plan.document import FailureKind, Id, Metric, Override
from ctexp.planning.plan.jobs import key_of

Category = Literal["architecture", "training", "data", "sweep"]

PRIMARY = "val/macro_f1"
"""The metric that every prior speaks of."""

ALIKE = ("val/accuracy", "val/balanced_accuracy")
"""What is believed to gain as `PRIMARY` does, where a move does not say otherwise: all three count right
answers, on one scale."""

_IMAGES = ("data", "data.name", "data.split", "data.fold", "data.sample")
"""Keys that decide which images are judged."""


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Effect(_Part):
    """What is believed of a move before anything is known here.

    Attributes:
        gain: in the metric's own units, positive for better; the mean of the prior.
        sd: of the prior; wide where nobody knows.
    """

    gain: Annotated[float, Field(ge=-1e6, le=1e6)]
    sd: Annotated[float, Field(ge=1e-6, le=1e6)]


class Way(_Part):
    """What a move does to a recipe.

    Attributes:
        overrides: what it sets.
        scale: what it multiplies, by dotted key.
    """

    overrides: list[Override] = Field(default_factory=list)
    scale: dict[str, Annotated[float, Field(gt=0, le=1e6)]] = Field(default_factory=dict)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys and groups it touches."""
        return (*(key_of(word) for word in self.overrides), *self.scale)


class Move(Way):
    """One change to a recipe.

    Attributes:
        category: what it changes; `sweep` for several values of one thing.
        when: it applies where any of these has been seen; empty: always.
        unless: it does not where any of these has, which it would make worse.
        only_if: values that settings of the recipe have to have, by dotted key; a list: any of them.
        variants: several ways of doing it, by name, each with what it does beside what all of them do; for
            `sweep`.
        hypothesis: why it may help.
        expected: what will be seen if it does.
        effects: by metric, where what it is for was seen; at least that on val/macro_f1. None for a move
            that changes which images are judged: nothing can be compared across it, and it is made for what
            figures mean, not to raise them.
        source: where these come from.
        cost: of a training, as a multiple of the recipe's, where nothing is known of it.
        track: metrics to be told in the morning.
        fallback: as in a plan.
    """

    category: Category
    when: list[Kind] = Field(default_factory=list)
    unless: list[Kind] = Field(default_factory=list)
    only_if: dict[str, Any] = Field(default_factory=dict)
    variants: dict[Id, Way] = Field(default_factory=dict)
    hypothesis: Annotated[str, Field(min_length=1)]
    expected: Annotated[str, Field(min_length=1)]
    effects: dict[Metric, Effect] = Field(default_factory=dict)
    source: Annotated[str, Field(min_length=1)]
    cost: Annotated[float, Field(gt=0, le=100)] = 1.0
    track: list[Metric] = Field(default_factory=list)
    fallback: dict[FailureKind, Annotated[list[Override], Field(min_length=1)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if bool(self.variants) != (self.category == "sweep"):
            raise ValueError("variants: a sweep has several, any other move none")
        if not all(way.keys for way in self.ways.values()):
            raise ValueError("overrides: it, or one of its variants, changes nothing")
        if self.changes_images and self.effects:
            raise ValueError("effects: it changes which images are judged; no gain can be seen across that")
        if not self.changes_images and PRIMARY not in self.effects:
            raise ValueError(f"effects: {PRIMARY} is missing")
        return self

    @cached_property
    def ways(self) -> dict[str | None, Way]:
        """Everything it may do, by variant; None for a move without variants."""
        variants: dict[str | None, Way] = dict(self.variants.items()) or {None: Way()}
        return {
            name: Way(overrides=[*self.overrides, *way.overrides], scale=self.scale | way.scale)
            for name, way in variants.items()
        }

    @property
    def changes_images(self) -> bool:
        """Whether runs with and without it are judged on different images."""
        return any(key in _IMAGES for way in self.ways.values() for key in way.keys)

    def prior(self, metric: str) -> Belief | None:
        """What is believed of its effect on a metric; None where nothing is."""
        effect = self.effects.get(metric) or (self.effects.get(PRIMARY) if metric in ALIKE else None)
        return None if effect is None else Belief(effect.gain, effect.sd)
