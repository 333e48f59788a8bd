"""What a check hands on: every problem and warning, and each job with its configurations."""

from dataclasses import dataclass

from ctexp.core.errors import DataError, UsageError
from ctexp.planning.checking.composition import Configured


@dataclass(frozen=True, kw_only=True)
class CheckedJob(Configured):
    """A job that can be begun.

    Attributes:
        train_images: that one of its trainings, or trials, learns from.
        val_images: that one of these looks at besides.
        trainings: 1, or the folds of a cross-validation, of which the numbers of images are the largest.
        device: what it computes on, as runs record it.
    """

    train_images: int
    val_images: int
    trainings: int
    device: str


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
