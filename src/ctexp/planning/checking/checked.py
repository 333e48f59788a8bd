"""What a check hands on: every problem and warning, and each job with its configurations."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ctexp.core.errors import DataError, UsageError
from ctexp.planning.checking.searching import Searched
from ctexp.planning.plan.jobs import Job

if TYPE_CHECKING:
    from ctexp.config.compose import Composed


@dataclass(frozen=True)
class CheckedJob:
    """A job that can be begun.

    Attributes:
        job: the job.
        composed: its configuration; that with the first of `bases`, where it has a base.
        fallbacks: by the kind of failure, likewise.
        bases: its configuration by what may win its base; empty without a base.
        train_images: that one of its trainings learns from.
        val_images: that one of its trainings looks at besides.
        trainings: 1, or the folds of a cross-validation, of which the numbers of images are the largest.
        device: what it computes on, as runs record it.
        searched: of a sweep, whose trials these numbers are of.
    """

    job: Job
    composed: "Composed"
    fallbacks: Mapping[str, "Composed"]
    bases: Mapping[str, "Composed"]
    train_images: int
    val_images: int
    trainings: int
    device: str
    searched: Searched | None = None

    @property
    def every(self) -> tuple["Composed", ...]:
        """Whatever it may train."""
        if self.searched:
            return self.searched.trials
        return (self.composed, *self.bases.values(), *self.fallbacks.values())


@dataclass(frozen=True)
class Checked:
    """A plan, checked.

    Attributes:
        problems: what makes it no plan, a line each with the place in its file.
        missing: what it needs of data and is not there, or not as it should be; likewise.
        wrong: both, in the order of the file.
        warnings: what can be done, but should be thought about; likewise.
        jobs: those that compose and whose data are there, in the order of the plan.
        hint: what to do about `missing`.
    """

    problems: tuple[str, ...]
    missing: tuple[str, ...]
    wrong: tuple[str, ...]
    warnings: tuple[str, ...]
    jobs: tuple[CheckedJob, ...]
    hint: str = ""

    def refuse(self) -> None:
        """End here where there is anything wrong.

        Raises:
            UsageError: the plan is wrong; what is missing is told too.
            DataError: only data are missing.
        """
        if self.problems:
            raise UsageError(self.wrong)
        if self.missing:
            raise DataError(self.missing, self.hint)
