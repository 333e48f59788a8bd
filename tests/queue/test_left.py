"""A job's run is found by what it says of itself; what cannot be read says nothing."""

import json
import shutil
from pathlib import Path

import pytest

from ctexp.queue import left, measured
from ctexp.queue.looking.progress import progress
from ctexp.queue.state import Attempt
from ctexp.record.cross_validation import CrossValidation
from ctexp.record.manifest import Origin
from ctexp.record.result import Deviation
from ctexp.record.run_dir import RunDir
from tests.judged import a_cross_validation
from tests.queue.written import job
from tests.record import samples

JOB = job("a")
MINE = Origin(plan="night", queue="q", job=JOB.id)


def test_the_newest_that_names_queue_and_job(tmp_path: Path) -> None:
    for origin in (Origin(), Origin(queue="q", job="b-s1"), Origin(queue="p", job=JOB.id)):
        samples.run_of(tmp_path, origin=origin)
    samples.run_of(tmp_path, origin=Origin(queue="q", job=JOB.id, parent="cv_20261121-050417_ab2cd3"))
    mine = samples.run_of(tmp_path, origin=MINE)
    (tmp_path / "broken_20991231-000000_abcdef").mkdir()
    (tmp_path / "broken_20991231-000000_abcdef" / "manifest.json").write_text("[1")
    (tmp_path / "queues").mkdir()
    there = left.names(tmp_path, JOB)
    assert left.made(tmp_path, JOB, "q", there) == mine.id
    assert left.made(tmp_path, JOB, "q", there - {mine.id}) is None
    assert left.resumable(tmp_path, JOB, mine.id)
    assert not left.resumable(tmp_path, JOB, "broken_20991231-000000_abcdef")
    assert left.names(tmp_path / "nowhere", JOB) == frozenset()


def test_what_a_run_says(tmp_path: Path) -> None:
    run = samples.begun(RunDir.create(tmp_path, "a"))
    begun = left.look(tmp_path, JOB, run.id)
    assert (begun.state, begun.mark, begun.seed, begun.commit) == (None, None, 42, samples.COMMIT)
    departure = Deviation(what="parts a step", before=1, after=2, step=7, reason="out\nof memory")
    samples.finish(run, deviations=(departure,))
    found = left.look(tmp_path, JOB, run.id)
    assert (found.state, found.exit_code, found.patch_sha256) == ("finished", 0, samples.HASH)
    assert found.deviations == ("2 parts a step instead of 1, from step 7 on: out of memory",)
    assert found.metrics["val/accuracy"]["low"] == 0.8642
    assert found.tracker == samples.TRACKER.run_id


def test_a_result_that_is_not_whole_or_of_another_run_is_none(tmp_path: Path) -> None:
    run, other = samples.run_of(tmp_path), samples.run_of(tmp_path)
    run.result.write_bytes(run.result.read_bytes()[:-20])
    assert left.look(tmp_path, JOB, run.id).state is None
    run.result.write_bytes(other.result.read_bytes())
    assert left.look(tmp_path, JOB, run.id).state is None
    assert left.look(tmp_path, JOB, "nowhere").state is None


@pytest.mark.parametrize(
    ("document", "content"),
    [
        ("result.json", {"error": "text"}),
        ("result.json", {"deviations": [1]}),
        ("result.json", {"state": ["finished"]}),
        ("result.json", {"metrics": ["val/accuracy"]}),
        ("attempts/1.json", {"git": [1]}),
        ("manifest.json", {"origin": [1]}),
    ],
)
def test_documents_of_another_shape_say_nothing(
    tmp_path: Path, document: str, content: dict[str, object]
) -> None:
    run = samples.run_of(tmp_path, origin=MINE)
    path = run.path / document
    path.write_text(json.dumps({**json.loads(path.read_text()), **content}))
    found = left.look(tmp_path, JOB, run.id)
    assert found.run == run.id
    assert found.state in {None, "finished"}
    assert left.made(tmp_path, JOB, "q", [run.id]) in {None, run.id}


def test_a_cross_validation_is_finished_when_it_has_been_judged(tmp_path: Path) -> None:
    cross = job("a", verb="cross-validate")
    place = a_cross_validation(tmp_path)
    record = CrossValidation.read(place.record).model_copy(update={"origin": MINE})
    record.write(place.record)
    assert left.made(tmp_path, cross, "q", left.names(tmp_path, cross)) == place.id
    assert left.look(tmp_path, cross, place.id).state is None  # killed before its summary was written
    place.summary.write_text("judged\n")
    found = left.look(tmp_path, cross, place.id)
    assert found.state == "finished"
    assert left.look(tmp_path, cross, "nowhere").state is None

    one, two = record.members
    failed = two.model_copy(update={"state": "oom", "exit_code": 10, "problem": "too large"})
    record.model_copy(update={"members": (one, failed)}).write(place.record)
    found = left.look(tmp_path, cross, place.id)
    assert (found.state, found.exit_code) == ("oom", 10)
    assert found.message == "fold 1, seed 1 oom: too large"
    going = two.model_copy(update={"state": "interrupted"})
    record.model_copy(update={"members": (failed.model_copy(update={"fold": 0}), going)}).write(place.record)
    assert left.look(tmp_path, cross, place.id).state is None


def test_values_of_another_kind_are_unknown(tmp_path: Path) -> None:
    run = samples.run_of(tmp_path)
    result = json.loads(run.result.read_text())
    strange = {"value": float("nan"), "low": "0.5", "high": 1e999}
    run.result.write_text(
        json.dumps(result | {"exit_code": [1], "failure": {}, "metrics": {"val/f1": strange}})
    )
    manifest = json.loads(run.manifest.read_text())
    run.manifest.write_text(json.dumps(manifest | {"seed": "x", "git": {"commit": 5, "dirty": "no"}}))
    shutil.rmtree(run.path / "attempts")
    found = left.look(tmp_path, JOB, run.id)
    assert (found.state, found.exit_code, found.failure) == ("finished", None, None)
    assert (found.seed, found.commit, found.dirty) == (None, None, None)
    assert found.metrics == {"val/f1": {"value": None, "low": None, "high": None}}
    assert measured.value(tmp_path, run.id, "val/f1") is None


def test_files_of_any_shape_say_nothing(tmp_path: Path) -> None:
    named = "a_20260101-000000_abcdef"
    files = [tmp_path / named / name for name in ("result.json", "manifest.json", "metrics.json")]
    files += [tmp_path / "cross-validations" / named / "cross_validation.json"]
    files += [tmp_path / "sweeps" / named / name for name in ("sweep.json", "progress.json")]
    inner: list[object] = [None, 10**400, "x", "a\0b", [], [1], {}, {"x": None}]
    keys = ("origin", "members", "best", "counts", "metrics", "git", "run_id", "error", "ended", "common")
    shapes = [*inner, *({key: value} for key in keys for value in inner)]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
    start: dict[str, object] = {"time": "2025-01-01T00:00:00.000Z", "run": named}
    for shape in shapes:
        for file in files:
            file.write_text(json.dumps(shape))
        for verb in ("train", "cross-validate", "sweep"):
            one = job("a", verb=verb)
            assert left.look(tmp_path, one, named).state is None
            assert left.made(tmp_path, one, "q", [named]) is None
        assert measured.value(tmp_path, named, "val/macro_f1") is None
        measured.chosen_by(tmp_path / "sweeps" / named)
        for run in (None, named):
            progress(tmp_path, "q", JOB.id, Attempt(1, "new", None, start | {"run": run}))
