"""What the experiments of a night share: seeds, baseline, criterion, gate."""

from dataclasses import dataclass

from ctexp.planning.plan.document import Criterion, Gate, Improvement
from ctexp.planning.proposal.ground import Kind
from ctexp.planning.proposal.seeds import Design

CHANCE = 0.25
"""Balanced accuracy of guessing among four classes."""


@dataclass(frozen=True)
class Night:
    """What the experiments of a night share.

    Attributes:
        kind: `train` or `cross-validate`.
        metric: `val/...`, which is to become better.
        design: seeds a side, and what they can notice.
        worthwhile: the smallest gain that matters, of `conf/verdict.yaml`.
        seeds: of every experiment but where another number is said; none was used before.
        first: those of the baseline.
        fresh: further ones, for confirmations.
        baseline: experiment of the plan, or what was trained before.
        ours: whether it is of this plan.
        passing: the balanced accuracy that the baseline has to pass; None where nothing is gated.
        minutes: of one of the baseline's jobs.
        assumed: whether that is a guess.
    """

    kind: Kind
    metric: str
    design: Design
    worthwhile: float
    seeds: tuple[int, ...]
    first: tuple[int, ...]
    fresh: tuple[int, ...]
    baseline: str
    ours: bool
    passing: float | None
    minutes: float
    assumed: bool

    @property
    def criterion(self) -> Criterion | None:
        """Better than the baseline; None where nothing could be."""
        if not self.design.decidable:
            return None
        return Improvement(metric=self.metric, better_than="baseline")

    @property
    def gate(self) -> Gate | None:
        """The baseline has to have learned something, if it is trained tonight."""
        if not self.ours or self.passing is None:
            return None
        return Gate(after=self.baseline, metric="val/balanced_accuracy", op=">", value=self.passing)

    @property
    def needs(self) -> list[str]:
        """What comes before anything that has no gate."""
        return ["smoke"] if self.gate is None else []

    def refuted(self) -> str:
        """What would show that a change is not worth having."""
        if not self.design.decidable:
            return f"{self.metric} is no better than the baseline's, or worse"
        return (
            f"even a gain of {self.worthwhile:g} in {self.metric} can be ruled out, or it is worse than the "
            "baseline"
        )


def passing(mean: float | None) -> float | None:
    """The balanced accuracy below which a baseline has not learned: half-way from chance to what is known.

    None where what is known is no better than chance: then nothing can be gated by it.
    """
    if mean is None:
        return CHANCE + 0.05
    return round((CHANCE + mean) / 2, 2) if mean > CHANCE + 0.1 else None
