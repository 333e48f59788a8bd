"""What copies are worth to a network that sees the same pixels in every epoch, and learns them by heart."""

from typing import Any

from ctexp.research.runner import ExperimentRunner
from worth import judged_twice

STUB = {"finding": "copies flatter much", "metrics": {"flattery": (0.2, 0.15, 0.25)}}


def e_memorised(runner: ExperimentRunner) -> dict[str, Any]:
    """The common recipe without augmentation."""
    its = judged_twice(runner, "memorised", ["augment=none"])
    return {
        "finding": f"Trained without augmentation: macro F1 {its['official']} on the official split, "
        f"{its['clean']} on the clean one. Copies are worth {its['flattery']:+}.",
        "metrics": its,
    }
