"""A target is met or missed by intervals, and never by opening the test split."""

from pathlib import Path

import pytest

from ctexp.config.verdict import TargetSettings
from ctexp.core import files
from ctexp.evaluation.verdicts.target import target, threshold
from ctexp.record.run_dir import RunDir
from ctexp.record.subjects import Subject, subject
from tests import judged

WANTED = TargetSettings(metric="test/accuracy", value=0.9)


def measured(
    runs: Path, *bounds: tuple[float, float, float] | None, metric: str = "test/accuracy"
) -> Subject:
    """A seed for each value and interval; None for one that has none."""
    found = []
    for seed, entry in enumerate(bounds):
        run = RunDir(runs / str(seed))
        entries = {metric: dict(zip(("value", "low", "high"), entry, strict=True))} if entry else {}
        files.write_json(run.metrics, {"splits": {metric.partition("/")[0]: {"metrics": entries}}})
        found.append(run)
    return Subject("net", "net", "name", tuple(found))


@pytest.mark.parametrize(
    ("bounds", "status"),
    [
        ([(0.95, 0.92, 0.98)], "met"),
        ([(0.95, 0.90, 0.98)], "met"),
        ([(0.95, 0.88, 0.98)], "undecided"),
        ([(0.85, 0.80, 0.89)], "missed"),
        ([(0.85, 0.80, 0.90)], "undecided"),
        ([(0.95, 0.92, 0.98), (0.96, 0.91, 0.99)], "met"),
        ([(0.95, 0.92, 0.98), (0.91, 0.85, 0.95)], "undecided"),
        ([(0.80, 0.70, 0.85), (0.81, 0.72, 0.88)], "missed"),
        ([(0.95, 0.92, 0.98), (0.80, 0.70, 0.85)], "undecided"),
    ],
)
def test_every_seed_has_to_reach_it(
    tmp_path: Path, bounds: list[tuple[float, float, float]], status: str
) -> None:
    found = target(measured(tmp_path, *bounds), WANTED)
    assert found.status == status
    assert (found.low, found.high) == (min(b[1] for b in bounds), max(b[2] for b in bounds))


@pytest.mark.parametrize(("high", "status"), [(0.04, "met"), (0.06, "undecided")])
def test_a_metric_that_should_fall_has_to_lie_below(tmp_path: Path, high: float, status: str) -> None:
    wanted = TargetSettings(metric="test/miss_rate", value=0.05)
    its = measured(tmp_path, (0.02, 0.01, high), metric="test/miss_rate")
    assert target(its, wanted).status == status
    missed = measured(tmp_path, (0.2, 0.1, 0.3), metric="test/miss_rate")
    assert target(missed, wanted).status == "missed"


@pytest.mark.parametrize(
    ("op", "met", "missed", "undecided"),
    [(">=", 0.8, 0.91, 0.9), (">", 0.79, 0.9, 0.8), ("<=", 0.9, 0.79, 0.8), ("<", 0.91, 0.8, 0.9)],
)
def test_a_stated_value_may_be_asked_either_way(
    tmp_path: Path, op: str, met: float, missed: float, undecided: float
) -> None:
    (run,) = measured(tmp_path, (0.85, 0.8, 0.9), metric="val/accuracy").runs
    for value, status in ((met, "met"), (missed, "missed"), (undecided, "undecided")):
        assert threshold([run.metrics], "val", "val/accuracy", op, value).status == status


def test_a_sealed_test_split_stays_sealed(tmp_path: Path) -> None:
    judged.a_run(tmp_path, "net", 1)
    found = target(subject(tmp_path, "net"), WANTED)
    assert (found.status, found.measured) == ("undecided", None)
    assert found.said == "the test split has not been looked at with it"


def test_seeds_without_figures_leave_it_open(tmp_path: Path) -> None:
    found = target(measured(tmp_path, (0.95, 0.92, 0.98), None), WANTED)
    assert found.status == "undecided"
    assert found.said == "only 1 of 2 seeds have test figures"


def test_a_cross_validation_stands_for_validation_alone(tmp_path: Path) -> None:
    judged.a_cross_validation(tmp_path, "cv", skill=9)
    its = subject(tmp_path, "cv")
    assert target(its, WANTED).said == "a cross-validation has no test split"
    found = target(its, TargetSettings(metric="val/accuracy", value=0.9))
    assert (found.status, found.measured) == ("met", 1.0)


@pytest.mark.parametrize("entry", [{"value": 0.95}, {"value": "high", "low": 0.9, "high": 0.98}, 3])
def test_a_damaged_entry_is_none(tmp_path: Path, entry: object) -> None:
    its = measured(tmp_path, (0.95, 0.92, 0.98))
    metrics = {"splits": {"test": {"metrics": {"test/accuracy": entry}}}}
    files.write_json(its.runs[0].metrics, metrics)
    assert target(its, WANTED).status == "undecided"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "1" + "0" * 400, "[]"])
def test_what_is_no_finite_number_decides_nothing(tmp_path: Path, number: str) -> None:
    its = measured(tmp_path, (0.95, 0.92, 0.98))
    file = its.runs[0].metrics
    for known in ("0.95", "0.98"):
        damaged = file.read_text().replace(known, number)
        file.write_text(damaged)
        assert target(its, WANTED).status == "undecided"
