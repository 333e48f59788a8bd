"""How far apart two recipes are, by the paired comparison of their answers to the same images."""

from dataclasses import dataclass

from ctexp.core.errors import DataError
from ctexp.evaluation import comparison
from ctexp.evaluation.answers import Answers
from ctexp.evaluation.verdicts.images import matched


@dataclass(frozen=True)
class Difference:
    """One metric, `after` less `before`.

    Attributes:
        metric: `val/macro_f1` or the like; out of fold for cross-validations.
        before: title of the recipe; `after` likewise.
        difference: None where it is undefined.
        se: its standard error, images and seeds together; None likewise.
        image_se: the part of images; seed_se: that of seeds.
        seed_source: `measured`, `pooled` or `assumed`: see `evaluation.comparison.effect`.
        low: of the 95 % interval; high likewise.
        p: not corrected for anything else that is looked at; 1 where there is no number.
        cites: the runs of both sides.
        reason: why there is no number, or no interval; empty where there are both.
    """

    metric: str
    before: str
    after: str
    difference: float | None
    se: float | None
    image_se: float | None
    seed_se: float | None
    seed_source: str
    low: float | None
    high: float | None
    p: float
    cites: tuple[str, ...]
    reason: str = ""

    @property
    def measured(self) -> tuple[float, float, float] | None:
        """The difference and its interval; None without, or where what seeds do to it is assumed."""
        if self.difference is None or self.low is None or self.high is None or self.seed_source == "assumed":
            return None
        return self.difference, self.low, self.high


def compared(before: Answers, after: Answers, name: str) -> Difference:
    """Compare two recipes in one metric of validation, or out of fold.

    Where the two cannot be compared at all, as when an image was changed in between, the difference says why
    and holds no number.

    Args:
        before: the answers of one.
        after: those of the other.
        name: of the metric, without its split.
    """
    cites = tuple(run.id for its in (before, after) for run in its.subject.runs)
    titles = before.subject.title, after.subject.title
    try:
        same = matched([before, after], intersect=False).answers
        its = comparison.pair(same[0].tables, same[1].tables, (name,)).effects[name]
    except DataError as error:
        return unknown(name, titles, cites, error)
    parts = [part for part in (its.image_se, its.seed_se) if part is not None]
    return Difference(
        metric=f"val/{name}",
        before=titles[0],
        after=titles[1],
        difference=its.difference,
        se=sum(part**2 for part in parts) ** 0.5 if parts else None,
        image_se=its.image_se,
        seed_se=its.seed_se,
        seed_source=its.seed_source,
        low=its.low,
        high=its.high,
        p=its.p,
        cites=cites,
        reason=its.reason,
    )


def unknown(name: str, titles: tuple[str, str], cites: tuple[str, ...], why: DataError) -> Difference:
    """A difference without a number."""
    reason = "; ".join(why.problems)
    return Difference(
        f"val/{name}", *titles, None, None, None, None, "assumed", None, None, 1.0, cites, reason
    )
