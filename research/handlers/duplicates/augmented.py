"""What copies are worth to a network that never sees an image twice alike."""

from typing import Any

from ctexp.research.runner import ExperimentRunner
from worth import judged_twice

STUB = {"finding": "copies flatter a little", "metrics": {"flattery": (0.03, 0.02, 0.04)}}


def e_augmented(runner: ExperimentRunner) -> dict[str, Any]:
    """The common recipe, whose images are turned, shifted and mirrored at random."""
    its = judged_twice(runner, "augmented")
    return {
        "finding": f"Trained on augmented images: macro F1 {its['official']} on the official split, "
        f"{its['clean']} on the clean one. Copies are worth {its['flattery']:+}.",
        "metrics": its,
    }
