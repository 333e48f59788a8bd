"""What two runs came to, side by side; which of them is better is not said here."""

from collections.abc import Sequence
from typing import Any

from ctexp.core.errors import DataError
from ctexp.evaluation.predictions import Predictions
from ctexp.record.result import Result
from ctexp.record.run_dir import Reading, RunDir
from ctexp.reproduction.rows import ABSENT, Measured, Row, differing

NO_VERDICT = (
    "no verdict: seeds and images decide that -> scripts/inv compare-baselines --baseline A --candidate B"
)
"""What is said below the figures of two single runs."""


def results(runs: Sequence[RunDir], readings: Sequence[Reading]) -> tuple[list[Row], list[str]]:
    """Ends and headline metrics with their intervals, all of them, and what changed for the images.

    Returns:
        Rows, and notes: one line each.
    """
    one, other = (reading.result for reading in readings)
    rows = differing(*(_end(reading) for reading in readings))
    for name in dict.fromkeys([*(one.metrics if one else ()), *(other.metrics if other else ())]):
        rows.append(Row(name, _measured(one, name), _measured(other, name)))
    try:
        told = _answers(*(Predictions.read(run.predictions("val")) for run in runs))
    except DataError as error:
        return rows, [f"predictions were not compared: {line}" for line in error.problems]
    return rows, [told]


def _end(reading: Reading) -> dict[str, str | float]:
    result = reading.result
    if result is None:
        return {"state": reading.state}
    return {
        "state": reading.state,
        "epochs": result.epochs,
        "duration, s": round(result.duration_seconds, 1),
        "warnings": "; ".join(result.warnings) or "none",
    }


def _measured(result: Result | None, name: str) -> Any:
    """A headline metric; `ABSENT` where the run has none."""
    metric = result.metrics.get(name) if result else None
    return ABSENT if metric is None else Measured(metric.value, metric.low, metric.high)


def _answers(one: Predictions, other: Predictions) -> str:
    """How many validation images got another answer, of those that both judged."""
    classes = [
        dict(zip(table.image_id, zip(table.sha256, table.logits.argmax(axis=1), strict=True), strict=True))
        for table in (one, other)
    ]
    shared = [image for image in classes[0] if classes[1].get(image, ("",))[0] == classes[0][image][0]]
    if not shared:
        return "predictions: no validation image was judged by both"
    changed = sum(classes[0][image][1] != classes[1][image][1] for image in shared)
    alone = len(one.image_id) + len(other.image_id) - 2 * len(shared)
    apart = f"; {alone} images were judged by one alone" if alone else ""
    return f"predictions: another class for {changed} of {len(shared)} validation images{apart}"
