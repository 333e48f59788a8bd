"""How far trainings spread that differ by nothing but their seed."""

from typing import Any

from ctexp.research.runner import ExperimentRunner
from phantom import RECIPE, draw

STUB = {"finding": "ten equal trainings spread a little", "metrics": {"seed_sd": (0.03, 0.02, 0.05)}}


def e_spread(runner: ExperimentRunner) -> dict[str, Any]:
    """Train ten times, take the mean and the standard deviation."""
    draw(runner)
    runs = runner.train(RECIPE, name="baseline", seeds=range(1, 11))
    scores = runner.figures(runs, "val/macro_f1")
    for seed, score in enumerate(scores, start=1):
        runner.log_metrics({"macro_f1": float(score)}, step=seed)
    middle, spread = runner.mean(scores), runner.sd(scores)
    return {
        "finding": f"Ten trainings that differ by their seed alone reach a macro F1 of {middle} in the mean, "
        f"on the same images, with a standard deviation of {spread} between them. That much is luck.",
        "metrics": {"macro_f1": middle, "seed_sd": spread},
    }
