"""What copies are worth: one training, judged once with them among the validation images and once without."""

from collections.abc import Sequence
from typing import Any

from ctexp.research.figures import Figure
from ctexp.research.runner import ExperimentRunner
from phantom import RECIPE
from planted import NAME, plant

SEEDS = range(1, 6)


def scores(
    runner: ExperimentRunner, name: str, split: str, overrides: Sequence[str] = ()
) -> Sequence[Figure]:
    """Macro F1 of each seed on the validation images of a split: `official`, with copies, or `clean`."""
    recipe = [*RECIPE, f"data.name={NAME}", f"data.split={split}", *overrides]
    return runner.figures(runner.train(recipe, name=f"{name}-{split}", seeds=SEEDS), "val/macro_f1")


def judged_twice(runner: ExperimentRunner, name: str, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Mean macro F1 with and without copies, and by how much the first flatters, seed by seed.

    Both splits train on the same images, so each seed is the same network on either side, but for the epoch
    that its validation images choose.
    """
    plant(runner)
    official, clean = (scores(runner, name, split, overrides) for split in ("official", "clean"))
    gains = [runner.difference(*pair) for pair in zip(official, clean, strict=True)]
    return {"official": runner.mean(official), "clean": runner.mean(clean), "flattery": runner.mean(gains)}
