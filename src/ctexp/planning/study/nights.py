"""Nights, as far as what they trained and were to do tells of a study."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ctexp.core import files
from ctexp.core.errors import CtexpError
from ctexp.planning.study.recipes import Recipe
from ctexp.record.index import RunSummary


def orders(runs: Path, night: str) -> dict[str, Any]:
    """What a night was to do; nothing where its folder does not say."""
    try:
        found = files.read_json(runs / "queues" / night / "orders.json")
    except CtexpError:
        return {}
    return found if isinstance(found, dict) else {}


def newest_night(recipes: Iterable[Recipe]) -> str | None:
    """The id of the newest queue that trained any of these; None where people did."""
    nights = {run.queue for run in summaries(recipes) if run.queue}
    return max(nights, key=lambda night: (night.rpartition("_")[2], night), default=None)


def summaries(recipes: Iterable[Recipe]) -> list[RunSummary]:
    """Their runs, those that were lost too."""
    return [run for recipe in recipes for run in (*(one.summary for one in recipe.runs), *recipe.lost)]
