"""The words that the driver, an actor and its keeper share."""

from collections.abc import Sequence
from typing import Any

from ctexp.core.errors import CtexpError
from ctexp.sweeps.agent.member import REFUSALS

ORDER, TRIAL = "order", "trial"
"""What an actor is told: JSON of `{"program": …, "root": …, "environment": …}`, and of a `Taken`."""

RUN, RUNS = "run", "runs"
"""A member's label and the run that has begun for it; those of all members so far."""

EPOCH, VALUE = "epoch", "value"
"""How many epochs are done, and the metric then."""

TOLD, UNFINISHED, REFUSAL = "told", "unfinished", "refusal"
"""What came of a trial: a `Told`; or why it did not come to its end, and what refused it."""

END = frozenset({TOLD, UNFINISHED})
"""After one of these there is nothing more to be told of a trial."""


def refused(error: CtexpError | None) -> Sequence[Any] | None:
    """An error, for a line of JSON."""
    return None if error is None else [error.kind, error.problems, error.hint]


def refusal(said: Sequence[Any] | None) -> CtexpError | None:
    """The error that was sent."""
    if said is None:
        return None
    name, problems, hint = said
    return next((kind for kind in REFUSALS if kind.__name__ == name), CtexpError)(problems, hint)
