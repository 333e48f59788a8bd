"""All runs at a glance: one line of facts each, to filter and to sort."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from ctexp.core.errors import UsageError
from ctexp.core.names import did_you_mean
from ctexp.record.find import run_paths
from ctexp.record.manifest import Manifest
from ctexp.record.run_dir import RUN_ID, RunDir


@dataclass(frozen=True)
class RunSummary:
    """What a list of runs says of one; None where the record does not say.

    Attributes:
        id: the name of its directory.
        started: of its last attempt that ended, else when it was created.
        features: the measured ones beside the image.
        metrics: headline metrics.
        intervals: the 95 % intervals of those that have one.
        problem: what is wrong with the record; None for a sound one.
    """

    id: str
    path: Path
    name: str
    state: str
    created: str | None
    started: str | None
    model: str | None
    features: str | None
    dataset: str | None
    seed: int | None
    tags: tuple[str, ...]
    description: str
    epochs: int | None
    duration_seconds: float | None
    exit_code: int | None
    commit: str | None
    dirty: bool | None
    metrics: Mapping[str, float | None]
    intervals: Mapping[str, tuple[float, float]]
    problem: str | None


def list_runs(runs: Path) -> list[RunSummary]:
    """Every run of a folder, newest first; a damaged record is listed as such and hides no other.

    Raises:
        DataError: the folder itself cannot be read.
    """
    return [summarise(RunDir(path)) for path in reversed(run_paths(runs))]


def summarise(run: RunDir) -> RunSummary:
    """The facts of one run."""
    state, manifest, result, problems = run.read()
    match = RUN_ID.fullmatch(run.id)
    measured = result.metrics if result else {}
    return RunSummary(
        id=run.id,
        path=run.path,
        name=manifest.name if manifest else match["name"] if match else run.id,
        state=state,
        created=manifest.created if manifest else None,
        started=result.started if result else manifest.created if manifest else None,
        model=manifest.model.name if manifest else None,
        features=_features(manifest),
        dataset=manifest.dataset.name if manifest else None,
        seed=manifest.seed if manifest else None,
        tags=manifest.tags if manifest else (),
        description=manifest.description if manifest else "",
        epochs=result.epochs if result else None,
        duration_seconds=result.duration_seconds if result else None,
        exit_code=result.exit_code if result else None,
        commit=manifest.git.commit if manifest else None,
        dirty=manifest.git.dirty if manifest else None,
        metrics={name: metric.value for name, metric in measured.items()},
        intervals={
            name: (metric.low, metric.high)
            for name, metric in measured.items()
            if metric.low is not None and metric.high is not None
        },
        problem="; ".join(problems) or None,
    )


def _features(manifest: Manifest | None) -> str | None:
    record = manifest.features if manifest else None
    return str(record["name"]) if record else None


def select(
    runs: Sequence[RunSummary],
    *,
    name: str | None = None,
    tags: Collection[str] = (),
    states: Collection[str] = (),
    metric: str | None = None,
) -> list[RunSummary]:
    """Those runs that fit all that is asked, in their order.

    Args:
        runs: the runs to choose from.
        name: a part of the run's name.
        tags: all of these.
        states: any of these; all where none is named.
        metric: one that the run has a value of.
    """
    return [
        run
        for run in runs
        if (name is None or name in run.name)
        and set(tags) <= set(run.tags)
        and (not states or run.state in states)
        and (metric is None or run.metrics.get(metric) is not None)
    ]


def order(runs: Sequence[RunSummary], column: str, descending: bool = False) -> list[RunSummary]:
    """The runs sorted by a column or a metric; those that have no value come last, either way.

    Args:
        runs: the runs to sort; equal ones keep their order.
        column: a field of `RunSummary` or a metric, for example `val/macro_f1`.
        descending: the greatest first.

    Raises:
        UsageError: there is no such column; the nearest is named.
    """
    columns = {field.name for field in fields(RunSummary)} - {"metrics", "intervals"}
    metrics = {metric for run in runs for metric in run.metrics}
    if column not in columns | metrics:
        raise UsageError(f"--sort: no column {column!r}", did_you_mean(column, columns | metrics))

    def value(run: RunSummary) -> object:
        return getattr(run, column) if column in columns else run.metrics.get(column)

    known = [run for run in runs if value(run) is not None]
    unknown = [run for run in runs if value(run) is None]
    return sorted(known, key=value, reverse=descending) + unknown  # type: ignore[arg-type]
