"""Cost, as far as the records say."""

from pathlib import Path

from ctexp.core import files
from ctexp.evaluation.verdicts.costs import cost
from ctexp.record.manifest import Model
from ctexp.record.run_dir import RunDir
from ctexp.record.subjects import Subject
from tests import judged
from tests.record import samples


def of(*runs: RunDir) -> Subject:
    return Subject("net", "net", "name", runs)


def test_a_run_costs_all_its_starts(tmp_path: Path) -> None:
    one, other = (judged.a_run(tmp_path, "net", seed) for seed in (1, 2))
    samples.ended(samples.attempt(other.id, 2)).write(other.attempt(2))
    minutes = 725.333 / 60
    found = cost(of(one, other), "val")
    assert found.training_minutes is not None
    assert abs(found.training_minutes - 1.5 * minutes) < 1e-9
    assert found.training_minutes_total is not None
    assert abs(found.training_minutes_total - 3 * minutes) < 1e-9
    assert (found.parameters, found.memory_mb, found.devices) == (23516228, 120.0, ("a computer",))
    assert (found.latency_ms, found.images_per_second) == (None, None)


def test_what_nobody_saw_the_end_of_has_no_total(tmp_path: Path) -> None:
    one, other = (judged.a_run(tmp_path, "net", seed) for seed in (1, 2))
    samples.attempt(other.id, 2).write(other.attempt(2))
    found = cost(of(one, other), "val")
    assert found.training_minutes_total is None
    assert found.training_minutes is not None


def test_speed_is_what_evaluate_measured_and_memory_that_of_the_gpu(tmp_path: Path) -> None:
    run = judged.a_run(tmp_path, "net", 1, model=Model(name="a", parameters=7))
    document = files.read_json(run.metrics)
    document["splits"]["val"]["speed"] = {"latency_ms": 4.0, "images_per_second": 900.0, "device": "cuda"}
    files.write_json(run.metrics, document)
    files.write_text(run.history, "epoch,rss_mb,gpu_memory_mb\n1,100,3000\n2,120,2500\n")
    found = cost(of(run), "val")
    assert (found.latency_ms, found.images_per_second, found.memory_mb) == (4.0, 900.0, 3000.0)
    assert found.parameters == 7
    assert cost(of(run), "test").latency_ms is None


def test_damaged_records_cost_nothing_known(tmp_path: Path) -> None:
    run = judged.a_run(tmp_path, "net", 1)
    for path in (run.history, run.metrics, run.attempt(1), run.manifest):
        path.write_text("damaged")
    found = cost(of(run), "val")
    assert (found.training_minutes, found.memory_mb, found.parameters) == (None, None, None)
    run.history.write_text("epoch,rss_mb\n1,nan\n2,inf\n")
    run.metrics.write_text('{"splits": {"val": {"speed": {"latency_ms": NaN, "images_per_second": 1e999}}}}')
    found = cost(of(run), "val")
    assert (found.memory_mb, found.latency_ms, found.images_per_second) == (None, None, None)
