"""How sure a trained model may be: its temperature, kept beside the checkpoint that it belongs to."""

from typing import Annotated

from pydantic import Field

from ctexp.record.documents import Document, Part, Sha256, Text

LOWEST, HIGHEST = 0.05, 20.0
"""Temperatures are sought between these; another one in a record was never fitted."""

Temperature = Annotated[float, Field(ge=LOWEST, le=HIGHEST)]


class FittedOn(Part):
    """The images that a temperature was fitted on: `n` of them, in so many groups of look-alikes."""

    split: str
    n: int = Field(ge=1)
    groups: int = Field(ge=1)


class Change(Part):
    """A number on those images, before and after calibration."""

    before: float
    after: float


class Calibration(Document):
    """`calibration.json`: probabilities are the softmax of the logits divided by `temperature`.

    Attributes:
        nll: the mean cross-entropy in nats.
        ece: the expected calibration error.
        method: how the temperature was found.
        checkpoint_sha256: of the weights that it belongs to; null for a cross-validation, which has many.
        notes: what a reader should know of it, one line each.
    """

    temperature: Temperature
    fitted_on: FittedOn
    nll: Change
    ece: Change
    method: Text
    checkpoint_sha256: Sha256 | None = None
    notes: tuple[Text, ...] = ()
