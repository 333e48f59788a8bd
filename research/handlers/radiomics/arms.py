"""The networks of the experiment: equal images, steps, seeds; they differ by what stands beside the image."""

from ctexp.record.manifest import Manifest
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


def columns(arm: Trained) -> list[str]:
    """The features that its networks were given, as its first run noted them."""
    given = Manifest.read(arm[0].manifest).features
    if given is None:
        raise ValueError(f"{arm.name}: no features stand beside its images")
    return given["columns"]
