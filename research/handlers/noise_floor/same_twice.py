"""What a comparison says of two experiments that are one: the control of every comparison."""

from typing import Any

from ctexp.research.runner import ExperimentRunner
from phantom import RECIPE, draw

METRICS = ("macro_f1", "balanced_accuracy", "accuracy", "auroc", "miss_rate")

STUB = {"finding": "nothing is told apart where nothing differs", "metrics": {"false_alarms": 0}}


def e_same_twice(runner: ExperimentRunner) -> dict[str, Any]:
    """Hold five seeds against five others of the same recipe."""
    draw(runner)
    # Trained for spread.py already: the same words are never trained twice.
    runs = runner.train(RECIPE, name="baseline", seeds=range(1, 11))
    same = runner.compare(runs[:5], runs[5:], METRICS)
    alarms = [metric for metric in METRICS if same.verdict(metric) != "undecided"]
    difference = same.difference("macro_f1")
    false_alarms = runner.count(len(alarms))
    return {
        "finding": "Five seeds less five others of the same recipe: an observed difference of macro F1 of "
        f"{difference:+}. The comparison calls {false_alarms} of {len(METRICS)} metrics different. A recipe "
        "that is truly better by half the length of this interval would be missed half the time or more.",
        "metrics": {"false_alarms": false_alarms, "difference": difference},
    }
