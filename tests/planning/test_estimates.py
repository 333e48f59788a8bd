"""Histories made by hand, whose estimates can be worked out on paper."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ctexp.planning import estimates
from ctexp.planning.past import Job, Past, PastRun
from ctexp.record import pruned
from ctexp.record.history import History
from ctexp.record.manifest import Dataset, Estimate
from ctexp.record.run_dir import RunDir
from tests.record import samples

KIND = (("device", "GPU"), ("model.name", "resnet50"))
JOB = Job(kind=KIND, train=600, val=90, epochs=20, stops_early=False)
MEASURED = Estimate(seconds=100, seconds_p90=160, source="measured")


def past_run(**changes: Any) -> PastRun:
    """20 epochs of 6 s and 10 s besides, which is what an epoch over 630 images' worth of work takes."""
    fields: dict[str, Any] = {
        "job": JOB,
        "epochs": 20,
        "seconds": 130.0,
        "epoch_seconds": 6.0,
        "memory_bytes": 4_000,
        "disk_bytes": 300,
        "estimate": None,
    }
    return PastRun(**fields | changes)


def job(**changes: Any) -> Job:
    return Job(**vars(JOB) | changes)


class Steps:
    """What a trial says: 10 s once and 5 s an epoch."""

    fixed_seconds = 10.0
    epoch_seconds = 5.0
    memory_bytes = 1_000
    disk_bytes = 200
    largest_micro_batch = 48
    basis = "measured 7 steps"


def from_history(runs: list[PastRun], wanted: Job = JOB) -> Estimate:
    found = estimates.from_history(Past(tuple(runs)), wanted)
    assert found is not None
    return found


def test_like_runs_are_the_estimate() -> None:
    found = from_history([past_run(), past_run(seconds=126.0), past_run(seconds=150.0)])
    assert found.seconds == pytest.approx(130)
    assert found.seconds_p90 == pytest.approx(1.3 * 130)
    assert (found.memory_bytes, found.disk_bytes) == (4_000, 300)
    assert (found.source, found.basis) == ("history", "3 like runs")


def test_images_and_epochs_are_in_proportion() -> None:
    found = from_history([past_run()] * 3, job(train=1200, val=180, epochs=10))
    assert found.seconds == pytest.approx(10 + 10 * 12)


@pytest.mark.parametrize(
    "other",
    [
        job(kind=(("device", "another GPU"), KIND[1])),
        job(kind=(KIND[0], ("model.name", "resnet18"))),
        job(train=1201),
        job(train=299),
    ],
)
def test_what_differs_in_kind_or_more_than_twofold_in_size_is_not_like_it(other: Job) -> None:
    assert estimates.from_history(Past((past_run(),) * 3), other) is None


def test_two_like_runs_are_too_few() -> None:
    assert estimates.from_history(Past((past_run(), past_run())), JOB) is None


def test_early_stopping_shortens_the_median_and_never_the_p90() -> None:
    early = job(stops_early=True)
    runs = [past_run(job=early, epochs=epochs, seconds=10 + 6.0 * epochs) for epochs in (8, 10, 16)]
    found = from_history(runs, early)
    assert found.epochs == 10
    assert found.seconds == pytest.approx(10 + 10 * 6)
    assert found.seconds_p90 == pytest.approx(1.3 * (10 + 20 * 6))
    unknown = estimates.from_trial(Past(()), early, Steps())
    assert unknown.epochs == 20


def test_a_limit_of_minutes_bounds_the_training() -> None:
    found = estimates.from_trial(Past(()), job(limit_seconds=60), Steps())
    assert found.seconds == pytest.approx(10 + 60)
    assert found.seconds_p90 == pytest.approx(1.6 * 10 + 60)


def test_a_trial_adds_up() -> None:
    found = estimates.from_trial(Past(()), JOB, Steps())
    assert found.seconds == pytest.approx(10 + 20 * 5)
    assert found.seconds_p90 == pytest.approx(1.6 * 110)
    assert found.memory_bytes_p90 == 1_300
    assert found.largest_micro_batch == 48
    assert (found.source, found.basis) == ("measured", "measured 7 steps")


def outcomes(ratios: list[float], **changes: Any) -> Past:
    told = MEASURED.model_copy(update=changes)
    return Past(tuple(past_run(seconds=100 * ratio, estimate=told) for ratio in ratios))


def test_the_projects_own_record_takes_the_place_of_the_factor() -> None:
    eight = [1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.7, 1.9]
    assert estimates.spread(outcomes(eight), "measured").seconds == 1.6
    assert estimates.spread(outcomes([*eight, 2.5]), "measured").seconds == 2.5
    # Of nineteen the eighteenth: ceil(0.9 * 20).
    assert estimates.spread(outcomes([1 + i / 10 for i in range(19)]), "measured").seconds == 2.7
    assert estimates.spread(outcomes([0.5] * 9), "measured").seconds == 1.0
    assert estimates.spread(outcomes([2.5] * 9), "history").seconds == 1.3


def test_epochs_that_were_not_needed_are_no_error_of_speed() -> None:
    # Predicted: 40 epochs of 2 s and 20 s besides; it took 10 epochs and 60 s: 1.5 times 40 s.
    runs = [past_run(epochs=10, seconds=60.0, estimate=None)] * 9
    told = MEASURED.model_copy(update={"epochs": 40.0, "epoch_seconds": 2.0})
    past = Past(tuple(PastRun(**vars(run) | {"estimate": told}) for run in runs))
    assert estimates.spread(past, "measured").seconds == pytest.approx(1.5)


def test_how_good_estimates_were() -> None:
    found = estimates.accuracy(outcomes([0.8, 1.0, 1.2, 1.7]))
    assert found.runs == 4
    assert found.median_ratio == pytest.approx(1.1)
    assert found.p90_coverage == 0.75
    none = estimates.accuracy(Past((past_run(),)))
    assert (none.runs, none.median_ratio, none.p90_coverage) == (0, None, None)


def test_the_cost_in_words() -> None:
    found = Estimate(seconds=2820, seconds_p90=3900, memory_bytes=6_550_000_000, disk_bytes=310_000_000)
    assert (
        estimates.cost(found, on_gpu=True)
        == "about 47 min 00 s (p90 1 h 05 min), 6.1 GiB of GPU memory, 310 MB of disk"
    )
    assert [estimates.disk(size) for size in (2.34e6, 2.34e8, 2.34e10)] == ["2.3 MB", "234 MB", "23.4 GB"]


WORKLOAD = {"model.name": "resnet50", "trainer.early_stopping": True}


def recorded(runs: Path, state: str = "finished", **changes: Any) -> None:
    """A whole run directory: 30 epochs, of 22 s in the median, 725.333 s in all."""
    rows = {"train": {"normal": 500}, "val": {"normal": 60}}
    fields: dict[str, Any] = {
        "workload": WORKLOAD,
        "device": "GPU",
        "hyperparameters": {"trainer.max_epochs": 60},
        "dataset": samples.manifest("x").dataset.model_copy(update={"rows": rows}),
    }
    run = samples.run_of(runs, state=state, **fields | changes)
    history = History(run.history)
    for epoch, seconds in enumerate([30.0, 22.0, 21.0], start=1):
        history.append({"epoch": epoch, "seconds": seconds, "gpu_memory_mb": 900.0 + epoch, "rss_mb": 9000.0})
    (run.checkpoints / "last.ckpt").write_bytes(bytes(100_000))


def test_run_directories_become_history(tmp_path: Path) -> None:
    for _ in range(3):
        recorded(tmp_path)
    recorded(tmp_path, state="interrupted")
    recorded(tmp_path, workload={})
    recorded(tmp_path, workload={}, device=None, estimate=None)
    (tmp_path / "resnet50_20261121-050417_broken").mkdir()
    (tmp_path / "resnet50_20261121-050417_broken" / "result.json").write_text("{")
    past = Past.load(tmp_path)
    assert len(past.runs) == 3
    run = past.runs[0]
    assert (run.epochs, run.epoch_seconds, run.seconds) == (30, 22.0, 725.333)
    assert (run.job.epochs, run.job.stops_early) == (60, True)
    assert run.memory_bytes == 903 * 2**20
    assert run.disk_bytes is not None
    assert 100_000 < run.disk_bytes < 130_000
    kind = (("device", "GPU"), *sorted(WORKLOAD.items()))
    found = from_history(list(past.runs), Job(kind=kind, train=500, val=60, epochs=10, stops_early=True))
    assert found.epochs == 5
    assert found.seconds == pytest.approx(725.333 - 30 * 22 + 5 * 22)


def test_what_was_pruned_of_a_run_was_written_all_the_same(tmp_path: Path) -> None:
    recorded(tmp_path)
    [place] = tmp_path.iterdir()
    [before] = Past.load(tmp_path).runs
    pruned.delete(RunDir(place), [pruned.Doomed("checkpoints/last.ckpt", 100_000, "to make room")])
    [after] = Past.load(tmp_path).runs
    assert before.disk_bytes is not None
    assert after.disk_bytes == pytest.approx(before.disk_bytes, abs=1000)  # the line that tells of it
    (place / "events.jsonl").unlink()
    assert Past.load(tmp_path).runs[0].disk_bytes is None


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("result.json", {"epochs": "x"}),
        ("result.json", {"duration_seconds": 10**400}),
        ("result.json", {"duration_seconds": float("nan")}),
        ("manifest.json", {"hyperparameters": {"trainer.max_epochs": 0}}),
        ("manifest.json", {"workload": WORKLOAD | {"model.name": []}}),
        ("manifest.json", {"dataset": {"rows": {"train": {}, "val": {"normal": 1}}}}),
    ],
)
def test_a_damaged_record_says_nothing(tmp_path: Path, file: str, changes: dict[str, Any]) -> None:
    recorded(tmp_path)
    [run] = tmp_path.iterdir()
    document = json.loads((run / file).read_text())
    (run / file).write_text(json.dumps(document | changes))
    assert Past.load(tmp_path).runs == ()


def test_the_dataset_of_old_records_is_no_reason_to_fail(tmp_path: Path) -> None:
    recorded(tmp_path, dataset=Dataset(name="x", catalog_sha256=samples.HASH, split="official", rows={}))
    assert Past.load(tmp_path).runs == ()
    assert Past.load(tmp_path / "nowhere").runs == ()


def test_a_thousand_jobs_are_estimated_at_once() -> None:
    past = Past(tuple(past_run(estimate=MEASURED) for _ in range(300)))
    began = time.process_time()
    for size in range(1000):
        assert estimates.from_history(past, job(train=400 + size % 500))
    assert time.process_time() - began < (3 if sys.gettrace() is None else 9)


def test_torch_is_never_loaded() -> None:
    code = (
        "import sys; from ctexp.planning import estimates, past; from ctexp.cli import costs;"
        "sys.exit(any(name in sys.modules for name in ('torch', 'pytorch_lightning', 'timm')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
