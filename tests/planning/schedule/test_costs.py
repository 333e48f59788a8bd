"""What jobs cost, by real records of runs like them and by measurements that were kept."""

from pathlib import Path
from typing import Any

import pytest

from ctexp.config.compose import Composed
from ctexp.config.workload import workload
from ctexp.core import files
from ctexp.planning.checking.checked import CheckedJob
from ctexp.planning.checking.searching import Searched
from ctexp.planning.past import Job, Past
from ctexp.planning.schedule.costs import START_SECONDS, expected, trainings
from ctexp.planning.schedule.measurements import Measurement, Measurements
from ctexp.record.history import History
from ctexp.record.manifest import Estimate
from tests import judged
from tests.planning.schedule.jobs import DEVICE, TINY_NET, checked, composed, plan

COUNTS = {"train": {"normal": 600}, "val": {"normal": 90}, "test": {"normal": 1}}
EPOCH_SECONDS, RUN_SECONDS = 20.0, 725.333
"""Of the records: 30 epochs, and 125.333 s besides."""


def recorded(runs: Path, *words: str, times: int = 3) -> None:
    """Finished runs of this configuration, by the real writers."""
    configuration = composed((*TINY_NET, *words)).resolved
    for seed in range(times):
        run = judged.a_run(
            runs,
            seed=seed,
            dataset=judged.dataset(rows=COUNTS),
            device=DEVICE,
            workload=workload(configuration),
            hyperparameters={"trainer.max_epochs": configuration["trainer"]["max_epochs"]},
        )
        run.history.unlink()
        history = History(run.history)
        for epoch in (1, 2, 3):
            history.append({"epoch": epoch, "seconds": EPOCH_SECONDS, "gpu_memory_mb": None, "rss_mb": 900.0})


def jobs(experiments: dict[str, Any], **changes: Any) -> list[CheckedJob]:
    return checked(plan(experiments, seeds=[1]), **changes)


def costs(of: list[CheckedJob], runs: Path) -> dict[str, Estimate | None]:
    return expected(of, Past.load(runs), Measurements.load(runs))


def seconds(epochs: int) -> float:
    """Of one training, by the records."""
    return START_SECONDS + RUN_SECONDS - 30 * EPOCH_SECONDS + epochs * EPOCH_SECONDS


def test_history_tells_what_it_knows_and_no_more(tmp_path: Path) -> None:
    recorded(tmp_path, "trainer.max_epochs=30")
    of = jobs(
        {
            "known": {"overrides": ["trainer.max_epochs=10"]},
            "folds": {"kind": "cross-validate", "overrides": ["trainer.max_epochs=30"]},
            "other": {"overrides": ["data.image_size=96"]},
        }
    )
    found = costs(of, tmp_path)
    one, folds = found["known-s1"], found["folds-s1"]
    assert one is not None
    assert folds is not None
    assert one.seconds == pytest.approx(seconds(10))
    assert one.seconds_p90 == pytest.approx(START_SECONDS + 1.3 * (one.seconds - START_SECONDS))
    assert one.basis == "3 like runs"
    assert folds.seconds == pytest.approx(3 * seconds(30))
    assert folds.basis == "3 like runs, 3 folds"
    assert one.disk_bytes is None  # the records' checkpoints are gone
    assert found["other-s1"] is None


def test_a_limit_bounds_a_job(tmp_path: Path) -> None:
    recorded(tmp_path)
    found = costs(jobs({"a": {"limit": "5m", "overrides": ["trainer.max_epochs=30"]}}), tmp_path)["a-s1"]
    assert found is not None
    assert (found.seconds, found.seconds_p90) == (300, 300)


def test_a_job_with_a_base_costs_as_much_as_with_the_dearest(tmp_path: Path) -> None:
    experiments = {
        "short": {"overrides": ["trainer.max_epochs=10"]},
        "long": {"overrides": ["trainer.max_epochs=40"]},
        "large": {"overrides": ["data.image_size=96"]},
        "on": {"base": {"best_of": ["short", "long"]}, "overrides": ["loss=focal"]},
        "beyond": {"base": {"best_of": ["short", "large"]}},
    }
    recorded(tmp_path)
    found = costs(jobs(experiments), tmp_path)
    assert found["on-s1"] is not None
    assert found["on-s1"].seconds == pytest.approx(seconds(40))
    assert found["beyond-s1"] is None


def measured(one: CheckedJob, **changes: Any) -> Measurement:
    (job,) = trainings(one)
    found = Estimate(
        seconds=10 + 50 * 2.0,
        epochs=50,
        epoch_seconds=2.0,
        memory_bytes=1000,
        disk_bytes=300,
        source="measured",
        basis="measured 10 steps",
    )
    return Measurement.of(job, found.model_copy(update=changes))


def test_a_measurement_is_kept_and_scaled(tmp_path: Path) -> None:
    (one,) = jobs({"a": {"overrides": ["trainer.max_epochs=50"]}})
    Measurements().keep(tmp_path, measured(one))
    like = jobs(
        {
            "a": {"overrides": ["trainer.max_epochs=20"]},
            "limited": {"overrides": ["trainer.max_epochs=50", "trainer.max_minutes=1"]},
        }
    )
    found = costs(like, tmp_path)
    assert found["a-s1"] is not None
    assert found["limited-s1"] is not None
    assert found["a-s1"].seconds == pytest.approx(START_SECONDS + 10 + 20 * 2.0)
    assert found["a-s1"].seconds_p90 == pytest.approx(START_SECONDS + 1.6 * 50)
    assert found["a-s1"].basis.startswith("measured 10 steps on 20")
    assert found["limited-s1"].seconds == pytest.approx(START_SECONDS + 10 + 60)
    twice = costs(
        jobs({"a": {"overrides": ["trainer.max_epochs=50"]}}, train_images=1200, val_images=180), tmp_path
    )
    assert twice["a-s1"] is not None
    assert twice["a-s1"].seconds == pytest.approx(START_SECONDS + 10 + 50 * 4.0)
    assert costs(jobs({"a": {}}, train_images=1300), tmp_path) == {"a-s1": None}
    assert costs(jobs({"a": {}}, device="another"), tmp_path) == {"a-s1": None}


def test_history_goes_before_what_was_measured(tmp_path: Path) -> None:
    (one,) = jobs({"a": {"overrides": ["trainer.max_epochs=30"]}})
    recorded(tmp_path, times=2)
    Measurements().keep(tmp_path, measured(one))
    before = costs([one], tmp_path)["a-s1"]
    recorded(tmp_path, times=1)
    after = costs([one], tmp_path)["a-s1"]
    assert before is not None
    assert after is not None
    assert before.source == "measured"
    assert after.basis == "3 like runs"


def test_what_a_limit_of_minutes_hid_is_not_counted_as_a_start(tmp_path: Path) -> None:
    (one,) = jobs({"a": {"overrides": ["trainer.max_epochs=50", "trainer.max_minutes=1"]}})
    found = measured(one, seconds=10 + 60.0)
    assert found.fixed_seconds == 10
    with pytest.raises(ValueError, match="does not say"):
        measured(one, epoch_seconds=None)
    assert not list(tmp_path.iterdir())


def test_writers_do_not_lose_each_others_measurements(tmp_path: Path) -> None:
    small, large = jobs({"a": {}, "b": {"overrides": ["data.image_size=96"]}})
    first, second = Measurements.load(tmp_path), Measurements.load(tmp_path)
    first.keep(tmp_path, measured(small))
    second.keep(tmp_path, measured(large))
    assert None not in costs([small, large], tmp_path).values()


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"schema_version": 9}', '{"schema_version": 1, "measured": [1]}']
)
def test_a_damaged_cache_knows_nothing_and_is_replaced(tmp_path: Path, content: str) -> None:
    (tmp_path / "estimates.json").write_text(content)
    (one,) = jobs({"a": {}})
    assert costs([one], tmp_path) == {"a-s1": None}
    Measurements.load(tmp_path).keep(tmp_path, measured(one))
    assert costs([one], tmp_path)["a-s1"] is not None


@pytest.mark.parametrize(
    "change",
    [
        {"epoch_seconds": "x"},
        {"epoch_seconds": None},
        {"fixed_seconds": -9.0},
        {"memory_bytes": 1e308},
        {"memory_bytes": True},
        {"largest_micro_batch": []},
        {"train": 0},
        {"basis": 3},
        {"train": "x"},
    ],
)
def test_a_damaged_measurement_is_none(tmp_path: Path, change: dict[str, Any]) -> None:
    (one,) = jobs({"a": {}})
    Measurements.load(tmp_path).keep(tmp_path, measured(one))
    document = files.read_json(tmp_path / "estimates.json")
    document["measured"][0] |= change
    files.write_json(tmp_path / "estimates.json", document)
    assert costs([one], tmp_path) == {"a-s1": None}


def test_a_job_is_its_training_and_one_for_each_other_base() -> None:
    bases = {"base": {"best_of": ["a", "b", "c"]}}
    a, *_, on = jobs(
        {
            "a": {},
            "b": {"overrides": ["loss=focal"]},
            "c": {"overrides": ["trainer.max_epochs=7"]},
            "on": bases,
        }
    )
    assert [job.epochs for job in trainings(a)] == [composed(TINY_NET).resolved["trainer"]["max_epochs"]]
    assert len(trainings(on)) == 2  # another loss costs the same
    assert all(isinstance(job, Job) for job in trainings(on))


def test_a_sweep_costs_its_budget_or_all_there_is_to_try(tmp_path: Path) -> None:
    recorded(tmp_path, "trainer.max_epochs=30")
    small = composed((*TINY_NET, "trainer.max_epochs=10"))
    large = composed((*TINY_NET, "trainer.max_epochs=30"))
    mean = (RUN_SECONDS - 20 * EPOCH_SECONDS + RUN_SECONDS) / 2

    def of(budget: str, most: int | None, *, trials: tuple[Composed, ...] = (small, large)) -> Estimate:
        sweep = {"kind": "sweep", "sweep": "lr", "budget": budget}
        (job,) = jobs({"lr": sweep}, searched=Searched(trials, 2, most))
        found = costs([job], tmp_path)[job.job.id]
        assert found is not None
        return found

    whole = of("10h", 4)
    assert whole.seconds == pytest.approx(8 * mean)
    assert whole.seconds_p90 is not None
    assert whole.seconds < whole.seconds_p90 < 36_000
    cut = of("1h", None)
    assert cut.seconds == 3600
    assert cut.seconds_p90 is not None
    assert cut.seconds_p90 > 3600 + 2 * RUN_SECONDS  # the last trial may begin just before
    assert cut.basis == "about 4 trials by 3 like runs"
    unknown = of("1h", 4, trials=(small, composed((*TINY_NET, "data.image_size=64"))))
    assert (unknown.seconds, unknown.disk_bytes) == (3600, None)
    assert unknown.basis == "its budget; what a trial costs is unknown"
