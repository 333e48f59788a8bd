"""The networks of the experiment: equal images, steps, seeds; they differ by what stands beside the image."""

from ctexp.research.runner import ExperimentRunner
from ctexp.research.runner.runs import Trained
from phantom import RECIPE, draw

SEEDS = range(1, 6)


def single(runner: ExperimentRunner) -> Trained:
    """The image alone."""
    draw(runner)
    return runner.train(RECIPE, name="single", seeds=SEEDS)


def dual(runner: ExperimentRunner, features: str) -> Trained:
    """The image, and beside it the columns of a list: all_features, top_features or bottom_features."""
    draw(runner)
    runner.inv("extract-features", "--dataset", "phantom")  # what was measured before is kept
    recipe = [*RECIPE, "model.fusion=concat", f"features={features}"]
    return runner.train(recipe, name=features.replace("_", "-"), seeds=SEEDS)
