"""A number of a run, cited: its value and interval, and the file and key it stands under."""

from typing import Any

from ctexp.core import files
from ctexp.core.errors import DataError, UsageError
from ctexp.core.metric_names import canonical
from ctexp.core.names import did_you_mean
from ctexp.record.run_dir import RunDir
from ctexp.research.figures import Cited, Figure, Step


def cite(run: RunDir, metric: str) -> Figure:
    """A metric of a run's best checkpoint, with its 95 % interval.

    The headline metrics come from `result.json`, which never changes once a run has ended; others from
    `metrics.json`, which `inv evaluate` adds to.

    Raises:
        UsageError: it is no metric, or one of the test split.
        DataError: it was not measured, or the record is damaged.
    """
    name = canonical(metric)
    split = name.partition("/")[0]
    if split == "test":
        raise UsageError(f"{name}: the test split stays sealed", "use the same metric of val")
    places: tuple[tuple[Any, tuple[Step, ...]], ...] = (
        (run.result, ("metrics", name)),
        (run.metrics, ("splits", split, "metrics", name)),
    )
    known: set[str] = set()
    for file, key in places:
        entry: Any = files.read_json(file)
        *way, last = key
        for step in way:
            entry = entry.get(step, {})
        if last in entry:
            measured = entry[last]
            return Figure(
                value=measured["value"],
                low=measured["low"],
                high=measured["high"],
                source=Cited(
                    file=f"{run.id}/{file.name}", run=run.id, sha256=files.sha256_file(file), key=key
                ),
            )
        known |= set(entry)
    raise DataError(f"{run.id}: {name} was not measured", did_you_mean(name, known))
