"""What a list of runs says of one, read from its directory."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ctexp.core.errors import DataError
from ctexp.record.documents import printable
from ctexp.record.manifest import Manifest
from ctexp.record.result import Result
from ctexp.record.run_dir import RUN_ID, Reading, RunDir


@dataclass(frozen=True)
class RunSummary:
    """What a list of runs says of one; None where the record does not say.

    Attributes:
        id: the name of its directory.
        started: of its last attempt that ended, else when it was created.
        features: the measured ones beside the image.
        duration_seconds: of its last attempt that ended.
        metrics: headline metrics.
        intervals: the 95 % intervals of those that have one.
        problem: what is wrong with the record; None for a sound one.
        total_seconds: of all attempts whose end was seen.
        queue: the queue, plan and job it belongs to.
        parent: the cross-validation or sweep it belongs to.
        split: the scheme that says which image is in which split.
        fold: which one of the scheme is val.
        sample: so many images of each split at most were used; None for all.
        parameters: how many numbers the network learns or keeps.
        device: what it computed on.
        batch_size: images of an optimizer step, those of accumulated batches together.
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
    total_seconds: float | None = None
    queue: str | None = None
    plan: str | None = None
    job: str | None = None
    parent: str | None = None
    split: str | None = None
    fold: int | None = None
    sample: int | None = None
    split_sha256: str | None = None
    catalog_sha256: str | None = None
    config_sha256: str | None = None
    parameters: int | None = None
    device: str | None = None
    batch_size: int | None = None


def summarise(run: RunDir) -> RunSummary:
    """The facts of one run; what is damaged is told in `problem`, never raised."""
    try:
        state, manifest, result, problems = run.read()
        total = _total_seconds(run, result)
    except OSError as error:
        unreadable = (f"{run.path}: cannot be read ({error.strerror})",)
        (state, manifest, result, problems), total = Reading("unreadable", None, None, unreadable), None
    match = RUN_ID.fullmatch(run.id)
    measured = result.metrics if result else {}
    name = manifest.name if manifest else match["name"] if match else printable(run.id)
    return RunSummary(
        id=run.id,
        path=run.path,
        name=name,
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
        metrics={metric: found.value for metric, found in measured.items()},
        intervals={
            metric: (found.low, found.high)
            for metric, found in measured.items()
            if found.low is not None and found.high is not None
        },
        problem=printable("; ".join(problems)) or None,
        total_seconds=total,
        queue=manifest.origin.queue if manifest else None,
        plan=manifest.origin.plan if manifest else None,
        job=manifest.origin.job if manifest else None,
        parent=manifest.origin.parent if manifest else None,
        split=manifest.dataset.split if manifest else None,
        fold=manifest.dataset.fold if manifest else None,
        sample=manifest.dataset.sample if manifest else None,
        split_sha256=manifest.dataset.split_sha256 if manifest else None,
        catalog_sha256=manifest.dataset.catalog_sha256 if manifest else None,
        config_sha256=manifest.config_sha256 if manifest else None,
        parameters=manifest.model.parameters if manifest else None,
        device=manifest.device if manifest else None,
        batch_size=_batch_size(manifest),
    )


def _total_seconds(run: RunDir, result: Result | None) -> float | None:
    """Of the last attempt, and of the earlier ones, whose results were moved to `attempts/`."""
    seconds = [] if result is None else [result.duration_seconds]
    # Most runs have one attempt: nothing more is read of those.
    for number in [] if result and result.attempt == 1 else run.attempt_numbers():
        try:
            seconds.append(Result.read(run.attempt_result(number)).duration_seconds)
        except DataError:
            continue
    return sum(seconds) if seconds else None


def _features(manifest: Manifest | None) -> str | None:
    record = manifest.features if manifest else None
    return str(record["name"]) if record else None


def _batch_size(manifest: Manifest | None) -> int | None:
    if manifest is None:
        return None
    images = manifest.hyperparameters.get("data.batch_size")
    batches = manifest.workload.get("trainer.accumulate_grad_batches", 1)
    return images * batches if isinstance(images, int) and isinstance(batches, int) else None
