"""What a run's record says of itself in one number."""

from ctexp.core import files
from ctexp.core.errors import DataError
from ctexp.record.manifest import Attempt
from ctexp.record.result import Result
from ctexp.record.run_dir import RunDir


def value_of(run: RunDir, result: Result | None, metric: str) -> float | None:
    """A metric of the best checkpoint: a headline of the result, or any other in `metrics.json`.

    Args:
        run: the run.
        result: how it ended.
        metric: `val/macro_f1`.

    Returns:
        None where it is undefined or was not measured.
    """
    if result is not None and metric in result.metrics:
        return result.metrics[metric].value
    try:
        value = files.read_json(run.metrics)["splits"][metric.partition("/")[0]]["metrics"][metric]["value"]
    except (DataError, KeyError, TypeError):
        return None
    return value if isinstance(value, float) else None


def seconds_of(run: RunDir) -> float | None:
    """How long all starts of a run took together, as far as their ends were seen."""
    known = []
    for number in run.attempt_numbers():
        try:
            known.append(Attempt.read(run.attempt(number)).duration_seconds)
        except DataError:
            continue
    seconds = [value for value in known if value is not None]
    return sum(seconds) if seconds else None
