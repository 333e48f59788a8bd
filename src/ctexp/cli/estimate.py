"""`estimate`: what a training would cost, by runs like it or by a few of its steps; nothing is kept."""

from collections.abc import Callable, Sequence
from dataclasses import asdict

from ctexp.cli.costs import job_of
from ctexp.cli.train import new_order
from ctexp.config.compose import compose
from ctexp.core import clock, screen
from ctexp.core.errors import PreflightError
from ctexp.core.paths import project_root
from ctexp.core.wording import many
from ctexp.planning import estimates
from ctexp.planning.estimates import Accuracy, disk, memory
from ctexp.planning.past import Past
from ctexp.record.manifest import Estimate


def estimate(override: Sequence[str], json: bool) -> None:
    """Predict minutes, memory and disk of a training, and say how good earlier predictions were."""
    root = project_root()
    order = new_order(root, compose(override, root), json)
    past, job = Past.load(order.runs_dir), job_of(order)
    found = estimates.from_history(past, job)
    if found is None:
        from ctexp.training.run import Training

        with screen.status("measuring a few steps"):
            trial = Training(order).trial(micro_batch=True)
        if trial is None:
            raise PreflightError(
                "the first steps of this training fail, so nothing can be measured",
                "`scripts/inv train` with the same overrides says why",
            )
        found = estimates.from_trial(past, job, trial)
    earlier = estimates.accuracy(past)
    if json:
        screen.emit_json(found.model_dump(mode="json") | {"earlier_estimates": asdict(earlier)})
        return
    _print(found, earlier)


def _print(found: Estimate, earlier: Accuracy) -> None:
    fits = found.largest_micro_batch
    lines = {
        "time": _pair(found.seconds, found.seconds_p90, clock.duration),
        "peak memory": _pair(found.memory_bytes, found.memory_bytes_p90, memory),
        "disk": _pair(found.disk_bytes, found.disk_bytes_p90, disk),
        "largest micro-batch": "not measured" if fits is None else f"{fits} images at a time",
        "basis": found.basis,
        "earlier estimates": _told(earlier),
    }
    for name, text in lines.items():
        print(f"{name:<21}{text}")


def _pair(value: float | None, bound: float | None, written: Callable[[float], str]) -> str:
    if value is None:
        return "unknown"
    return written(value) if bound is None else f"{written(value)}, p90 {written(bound)}"


def _told(earlier: Accuracy) -> str:
    if earlier.median_ratio is None:
        return "none yet"
    covered = "" if earlier.p90_coverage is None else f"; {earlier.p90_coverage:.0%} of them within the p90"
    runs = many(earlier.runs, "run")
    return f"{runs} took {earlier.median_ratio:.2f} times their estimate in the median{covered}"
