"""The negative control: what do features add that were not shown to tell the classes apart?"""

from typing import Any

from arms import columns, dual, single
from ctexp.research.runner import ExperimentRunner

STUB = {
    "finding": "what was not shown to tell the classes apart adds nothing",
    "metrics": {"gain_over_control": (0.03, 0.01, 0.05), "control_gain": (0.0, -0.02, 0.02)},
}


def e_control(runner: ExperimentRunner) -> dict[str, Any]:
    """Put the control between the two: against one pathway, and under the other."""
    control, everything = dual(runner, "bottom_features"), dual(runner, "all_features")
    kept, measured = (runner.count(len(columns(arm))) for arm in (control, everything))
    alone = runner.compare(baseline=single(runner), candidate=control)
    under = runner.compare(baseline=control, candidate=everything)
    over_single, over_control = alone.difference("macro_f1"), under.difference("macro_f1")
    return {
        "finding": f"{kept} of {measured} features were not shown to tell the classes apart. These alone "
        f"change macro F1 by {over_single:+} ({alone.verdict('macro_f1')}). All features less these: "
        f"{over_control:+} ({under.verdict('macro_f1')}).",
        "metrics": {"control_gain": over_single, "gain_over_control": over_control, "control_columns": kept},
    }
