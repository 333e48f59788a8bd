"""How far apart two recipes are, by the paired comparison of their answers to the same images."""

from dataclasses import dataclass


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
        p: not corrected for anything else that is looked at.
        cites: the runs of both sides.
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
