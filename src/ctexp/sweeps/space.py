"""What a sweep chooses from: parameters, where each applies, and what may not come together."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ctexp.sweeps.file.expressions import Condition

Value = str | int | float | bool | None | list["Value"]
"""What a parameter can be set to."""

Values = dict[str, Value]
"""The chosen value of every parameter that applies, by its key, in the order of the file."""


@dataclass(frozen=True)
class Choice:
    """One of several values.

    Attributes:
        values: at least one; a constant is a choice of one.
        weights: how likely each is where it is drawn, summing to one; None for all alike.
    """

    values: tuple[Value, ...]
    weights: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Range:
    """A number between two others, both included.

    Attributes:
        log: drawn evenly on the scale of its logarithm.
        step: it is rounded to a multiple of this; None for any number.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None
    integer: bool = False


@dataclass(frozen=True)
class Bell:
    """A number around a mean, normally distributed.

    Attributes:
        log: its logarithm is, with this mean and this standard deviation.
        step: it is rounded to a multiple of this; None for any number.
    """

    mean: float
    sd: float
    log: bool = False
    step: float | None = None
    integer: bool = False


Dimension = Choice | Range | Bell


@dataclass(frozen=True)
class Parameter:
    """One override that the sweep chooses.

    Attributes:
        key: of the override: `optimizer.lr`, `model`.
        when: it applies only where this holds of the parameters before it; None for always.
        line: where it stands in the file.
    """

    key: str
    dimension: Dimension
    when: "Condition | None" = None
    line: int = 1


@dataclass(frozen=True)
class Space:
    """All of it.

    Attributes:
        parameters: in the order of the file, each after those that its condition names.
        constraints: what has to hold of every trial.
    """

    parameters: tuple[Parameter, ...]
    constraints: tuple["Condition", ...] = ()
