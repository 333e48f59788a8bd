"""Whether a finer sweep would follow more than chance, and the file of one."""

from dataclasses import dataclass
from statistics import mean

from ctexp.core.errors import CriterionNotMet, DataError
from ctexp.planning.proposal.confirming.found import Found
from ctexp.sweeps.reading.refining import refined
from ctexp.sweeps.space import Choice

_CLEARLY = 2.0
"""How many times further than the luckiest of equals the best has to lie from the mean of all trials."""


@dataclass(frozen=True)
class Finer:
    """A finer sweep, or why there is none.

    Attributes:
        why: it pays, or does not, without a full stop.
        text: of its file; None where it does not pay.
    """

    why: str
    text: str | None = None


def finer(found: Found) -> Finer:
    """Look whether one pays.

    It does where the settings matter by far more than chance does: then what lies between the best trials is
    worth a look. Where they do not, or nobody knows how far chance goes, a closer look would follow noise.
    """
    its, luck = found.its, found.told.luck
    if all(isinstance(one.dimension, Choice) for one in its.spec.space.parameters):
        return Finer("all it chose from are single values: there is nothing between them")
    if luck is None:
        return Finer(
            "with one training each nobody knows what of a trial's figure is chance: a closer look might "
            "follow that alone; `ctexp: {seeds: [...]}` in its file tells"
        )
    values = [row.value for row in its.ranked if row.value is not None]
    lead = abs(values[0] - mean(values))
    told = (
        f"the best lies {lead:.3f} from the mean of {len(values)} trials, the luckiest of equals {luck:.3f}"
    )
    if lead <= _CLEARLY * luck:
        return Finer(f"{told}: nothing says where to look closer")
    try:
        return Finer(
            f"{told}: settings matter, and there is room between those that are best", refined(its).text
        )
    except (CriterionNotMet, DataError) as error:
        return Finer("; ".join(error.problems))
