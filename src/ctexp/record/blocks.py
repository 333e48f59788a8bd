"""The two blocks that frame a run on the screen, in `train.log` and in `summary.txt`: plain text.

What was evaluated after the second block was written stands below it, on the screen alone.
"""

import json
from collections.abc import Mapping, Sequence

from pydantic import JsonValue, ValidationError

from ctexp.core import clock
from ctexp.core.classes import SPLITS
from ctexp.record.git import GitState
from ctexp.record.manifest import Dataset, Estimate, Manifest
from ctexp.record.result import Measurement, Result

_LABEL = 22
_NAMED_FILES = 5
_SINCE = ("macro_f1", "accuracy", "miss_rate")


def manifest_block(manifest: Manifest, location: str) -> str:
    """What is about to run.

    Args:
        manifest: the run.
        location: its directory, as a person would type it.
    """
    lines = [
        ("Git Commit", [manifest.git.commit or f"unknown ({manifest.git.reason})"]),
        ("Branch", [manifest.git.branch or ("none (detached HEAD)" if manifest.git.commit else "unknown")]),
        ("Uncommitted Changes", [_uncommitted(manifest.git)]),
        ("Command", [manifest.command]),
        ("Seed", [str(manifest.seed)]),
        ("Key Hyperparameters", [_hyperparameters(manifest)]),
        ("Dataset/Split", [_dataset(manifest.dataset)]),
        ("Output Directory", [location]),
    ]
    if manifest.dataset.warnings:
        lines.insert(-1, ("Warnings", list(manifest.dataset.warnings)))
    if manifest.estimate:
        lines.append(("Estimated Duration", [_expected(manifest.estimate)]))
    return _block("EXPERIMENT MANIFEST", lines)


def results_block(result: Result, location: str, log_file: str, estimate: Estimate | None = None) -> str:
    """How a run ended.

    Args:
        result: the end.
        location: the run's directory, as a person would type it.
        log_file: `train.log`, likewise.
        estimate: what had been expected; compared with the duration of a run that finished in one go.
    """
    metrics = [f"{name} {_measurement(metric)}" for name, metric in result.metrics.items()]
    lines = [
        ("Status", _status(result)),
        ("Duration", [_duration(result), *_compared(result, estimate)]),
        ("Output Location", [location]),
        ("Key Metrics", metrics or ["none"]),
        ("Artifacts Generated", list(result.artifacts) or ["none"]),
        ("Log File", [log_file]),
        ("Next Steps", next_steps(result)),
    ]
    if result.warnings:
        lines.insert(4, ("Warnings", list(result.warnings)))
    return _block("EXPERIMENT RESULTS", lines)


def evaluated_since(metrics: Mapping[str, JsonValue] | None) -> list[str]:
    """`test (look 3): macro_f1 0.512 (95 % interval ...), ...`: a line a split evaluated after training.

    Args:
        metrics: `metrics.json`; what in it is no figure is passed over. Training measures a split without
            asking for cancer against normal; `evaluate` asks.
    """
    splits = (metrics or {}).get("splits")
    lines = []
    for split in SPLITS:
        its = splits.get(split) if isinstance(splits, dict) else None
        if not isinstance(its, dict) or "cancer" not in its:
            continue
        read = {name: _entry(its.get("metrics"), f"{split}/{name}") for name in _SINCE}
        told = [f"{name} {_measurement(metric)}" for name, metric in read.items() if metric]
        look = its.get("look")
        counted = f" (look {look.get('seq')})" if isinstance(look, dict) else ""
        lines.append(f"{split}{counted}: {', '.join(told) or 'no figures'}")
    return lines


def next_steps(result: Result) -> list[str]:
    """Commands worth typing after a run, one a line."""
    show = f"scripts/inv show {result.run_id}"
    resume = f"scripts/inv train --resume {result.run_id}"
    match result.state:
        case "finished":
            return [
                f"scripts/inv report --runs {result.run_id}",
                f"scripts/inv analyze-errors --run {result.run_id}",
            ]
        case "interrupted" | "timeout":
            return [resume, show]
        case "oom":
            hint = result.error.hint if result.error else ""
            return [hint or "try a smaller data.batch_size or data.image_size", show]
        case "diverged":
            return ["try a smaller optimizer.lr, or trainer.gradient_clip", show]
        case "pruned":
            return [show, resume]
        case _:
            hint = result.error.hint if result.error else ""
            return [hint, show] if hint else [show]


def _block(title: str, lines: Sequence[tuple[str, Sequence[str]]]) -> str:
    """A headed, closed block; further values of a line stand below the first."""
    head = f"=== {title} ==="
    text = [head]
    for label, values in lines:
        for row, value in enumerate(values):
            text.append(f"{f'{label}:' if row == 0 else '':<{_LABEL}}{value}")
    return "\n".join([*text, "=" * len(head)]) + "\n"


def _uncommitted(git: GitState) -> str:
    """`none`, or how many files changed, which, and where they are kept."""
    if git.dirty is None:
        return f"unknown ({git.reason})"
    names = [*git.changed, *git.untracked]
    if not names:
        return "none"
    listed = ", ".join(" ".join(name.split()) for name in names[:_NAMED_FILES])
    more = f" and {len(names) - _NAMED_FILES} more" if len(names) > _NAMED_FILES else ""
    kept = f", saved in {git.patch}" if git.patch else ""
    missing = f", {len(git.left_out)} left out" if git.left_out else ""
    return f"{len(names)} {'file' if len(names) == 1 else 'files'} ({listed}{more}){kept}{missing}"


def _hyperparameters(manifest: Manifest) -> str:
    """`model.name=resnet50, model.pretrained=true`: values as one would type them."""
    typed = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in manifest.hyperparameters.items()
    }
    return ", ".join(f"{name}={value}" for name, value in typed.items()) or "none"


def _dataset(dataset: Dataset) -> str:
    """`chest_ct/clean (train 613, val 72, test 269 images; 46 left out)`."""
    sizes = ", ".join(f"{split} {sum(rows.values())}" for split, rows in dataset.rows.items())
    fold = "" if dataset.fold is None else f" fold {dataset.fold}"
    left_out = f"; {sum(dataset.left_out.values())} left out" if dataset.left_out else ""
    synthetic = ", synthetic: drawn by a program" if dataset.synthetic else ""
    return f"{dataset.name}/{dataset.split}{fold} ({sizes} images{left_out}{synthetic})"


def _status(result: Result) -> list[str]:
    """The state, and after a failure what happened."""
    if result.state == "finished":
        return [result.state]
    kind = f" ({result.failure})" if result.failure else ""
    what = result.error.message.splitlines() if result.error else []
    return [f"{result.state}{kind}, exit code {result.exit_code}", *what]


def _duration(result: Result) -> str:
    """How long it took, and for how many epochs."""
    epochs = f"{result.epochs} {'epoch' if result.epochs == 1 else 'epochs'}"
    attempt = f", attempt {result.attempt}" if result.attempt > 1 else ""
    return f"{clock.duration(result.duration_seconds)} ({epochs}{attempt})"


def _expected(estimate: Estimate) -> str:
    """`12 min 05 s, p90 15 min 10 s (12 like runs)`."""
    bound = "" if estimate.seconds_p90 is None else f", p90 {clock.duration(estimate.seconds_p90)}"
    basis = f" ({estimate.basis})" if estimate.basis else ""
    return f"{clock.duration(estimate.seconds)}{bound}{basis}"


def _compared(result: Result, estimate: Estimate | None) -> list[str]:
    """What was expected and what came, where the two can be compared."""
    if estimate is None or result.state != "finished" or result.attempt > 1:
        return []
    return [f"estimated {_expected(estimate)}, took {clock.duration(result.duration_seconds)}"]


def _entry(metrics: JsonValue, name: str) -> Measurement | None:
    """A metric as `metrics.json` has it; None where it is missing or no figure."""
    entry = metrics.get(name) if isinstance(metrics, dict) else None
    if not isinstance(entry, dict):
        return None
    try:
        return Measurement.model_validate({key: entry.get(key) for key in ("value", "low", "high")})
    except ValidationError:
        return None


def _measurement(metric: Measurement) -> str:
    """`0.902 (95 % interval 0.864 to 0.930)`."""
    if metric.value is None:
        return "undefined"
    if metric.low is None or metric.high is None:
        return _number(metric.value)
    return f"{_number(metric.value)} (95 % interval {_number(metric.low)} to {_number(metric.high)})"


def _number(value: float) -> str:
    """Three decimals, or as many as a small number needs to be seen."""
    return f"{value:.3f}" if value == 0 or abs(value) >= 0.001 else f"{value:.1e}"
