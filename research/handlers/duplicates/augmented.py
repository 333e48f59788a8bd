"""What copies are worth to a network that never sees an image twice alike."""

from typing import Any

from ctexp.research.runner import ExperimentRunner
from phantom import RECIPE
from worth import SEEDS, judged_twice, scores

STUB = {"finding": "copies flatter a little", "metrics": {"flattery": (0.03, 0.02, 0.04)}}


def e_augmented(runner: ExperimentRunner) -> dict[str, Any]:
    """The common recipe, whose images are turned, shifted and mirrored at random."""
    its = judged_twice(runner, "augmented")
    # The clean split is the set before copies were planted: noise_floor has trained these seeds on it.
    plain = runner.figures(runner.train(RECIPE, name="without-copies", seeds=SEEDS), "val/macro_f1")
    pairs = zip(scores(runner, "augmented", "clean"), plain, strict=True)
    its["as_without"] = runner.count(sum(clean.value == without.value for clean, without in pairs))
    return {
        "finding": f"Trained on augmented images: macro F1 {its['official']} on the official split, "
        f"{its['clean']} on the clean one. Copies are worth {its['flattery']:+}. With {its['as_without']} of "
        f"{len(SEEDS)} seeds the clean split gives the very macro F1 of the set without copies.",
        "metrics": its,
    }
