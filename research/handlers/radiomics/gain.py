"""Whether measured features beside the image make a network better than the image alone."""

from typing import Any

from arms import dual, single
from ctexp.research.runner import ExperimentRunner

STUB = {"finding": "features help a little", "metrics": {"gain": (0.03, 0.01, 0.05)}}


def e_gain(runner: ExperimentRunner) -> dict[str, Any]:
    """Compare the two pathways with one, on the same images, over the same seeds."""
    compared = runner.compare(baseline=single(runner), candidate=dual(runner, "all_features"))
    gain, auroc = compared.difference("macro_f1"), compared.difference("auroc")
    return {
        "finding": f"All fifty features beside the image change macro F1 by {gain:+} and AUROC by {auroc:+}. "
        "Corrected for all metrics that were looked at, the verdicts are "
        f"{compared.verdict('macro_f1')} and {compared.verdict('auroc')}.",
        "metrics": {"gain": gain, "gain_auroc": auroc},
    }
