"""Sets of images: two figures can be compared where they are of the same one."""

from collections.abc import Iterable
from typing import NamedTuple

from ctexp.record.index import RunSummary


class ImageSet(NamedTuple):
    """Which images trainings learned from and were judged on; their size is a setting, not another image.

    Attributes:
        dataset: its name.
        catalog_sha256: of the catalog, which names every image by content.
        split: the scheme.
        split_sha256: of its text; None in records from before there were split files.
        fold: which one is val; None where there are none, and for a whole cross-validation.
        sample: so many of each split at most; None for all.
    """

    dataset: str
    catalog_sha256: str
    split: str
    split_sha256: str | None
    fold: int | None
    sample: int | None

    def __str__(self) -> str:
        """`phantom, split clean`."""
        fold = "" if self.fold is None else f", fold {self.fold}"
        sample = "" if self.sample is None else f", a sample of {self.sample}"
        return f"{self.dataset}, split {self.split}{fold}{sample}"


def of_run(run: RunSummary, *, whole: bool = False) -> ImageSet | None:
    """The images of a run; None where its record does not say.

    Args:
        run: which one.
        whole: all folds together, instead of the one that the run was judged on.
    """
    if run.dataset is None or run.catalog_sha256 is None or run.split is None:
        return None
    fold = None if whole else run.fold
    return ImageSet(run.dataset, run.catalog_sha256, run.split, run.split_sha256, fold, run.sample)


def counted(images: Iterable[ImageSet]) -> dict[ImageSet, int]:
    """How often each occurs, in order of the first."""
    found: dict[ImageSet, int] = {}
    for one in images:
        found[one] = found.get(one, 0) + 1
    return found
