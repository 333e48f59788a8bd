"""A study: everything the project has trained on one set of images, as later decisions need it."""

from dataclasses import dataclass
from pathlib import Path

from ctexp.config.verdict import VerdictSettings
from ctexp.planning.study.data import DataFacts
from ctexp.planning.study.recipes import Recipe


@dataclass(frozen=True)
class Study:
    """What has been trained and judged on the same images.

    Attributes:
        root: the project's folder.
        runs: the folder of all runs.
        dataset: the data set's name; None where nothing has been trained.
        split: the scheme that says which image is in which split.
        recipes: newest first.
        incumbent: what later work is compared with; None where nothing has been trained.
        why_incumbent: why it is that one, a few words.
        data: None where nothing is known of the images.
        settings: of `conf/verdict.yaml`.
        notes: what was left out, and why, one line each.
    """

    root: Path
    runs: Path
    dataset: str | None
    split: str | None
    recipes: tuple[Recipe, ...]
    incumbent: Recipe | None
    why_incumbent: str
    data: DataFacts | None
    settings: VerdictSettings
    notes: tuple[str, ...] = ()

    @property
    def primary(self) -> str:
        """`val/<metric>` by which recipes are chosen."""
        return f"val/{self.settings.primary}"
