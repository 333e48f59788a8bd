"""Which night was the last that trained anything of a study."""

from collections.abc import Iterable

from ctexp.planning.study.recipes import Recipe
from ctexp.record.index import RunSummary


def newest_night(recipes: Iterable[Recipe]) -> str | None:
    """The id of the newest queue that trained any of these; None where people did."""
    nights = {run.queue for run in summaries(recipes) if run.queue}
    return max(nights, key=lambda night: (night.rpartition("_")[2], night), default=None)


def summaries(recipes: Iterable[Recipe]) -> list[RunSummary]:
    """Their runs, those that were lost too."""
    return [run for recipe in recipes for run in (*(one.summary for one in recipe.runs), *recipe.lost)]
