"""What the shipped experiments have in common: synthetic images, and a recipe of a quarter of a minute."""

from ctexp.research.runner import ExperimentRunner

RECIPE = ["experiment=quickstart", "data.image_size=64", "trainer.max_epochs=40"]
"""A small network from random weights with augmented images, the same number of steps for everybody."""


def draw(runner: ExperimentRunner) -> None:
    """Draw the synthetic set where there is none."""
    if not (runner.data / "raw" / "phantom.parquet").is_file():
        runner.inv("data-phantom")
