import json
from pathlib import Path

import jsonschema
import pytest

from ctexp.record import schemas
from ctexp.record.events import EventLog
from ctexp.record.history import History
from ctexp.record.run_dir import RunDir
from ctexp.record.show import HISTORY_TAIL, ShownRun, describe
from tests.record import samples

PUBLISHED = Path(__file__).parents[2] / "docs" / "schemas"


def valid(shown: ShownRun) -> ShownRun:
    """The document as a program gets it obeys the published schema."""
    document = json.loads(json.dumps(shown.document(), allow_nan=False))
    schema = json.loads((PUBLISHED / "show.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)
    return shown


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    run = samples.begun(RunDir.create(tmp_path, "resnet50"))
    EventLog(run.events).write("start")
    history = History(run.history)
    for epoch in range(12):
        history.append({"epoch": epoch, "train/loss": float("nan") if epoch == 11 else 1 / (epoch + 1)})
    return run


def test_a_finished_run_is_shown_whole(run: RunDir) -> None:
    metrics = {"schema_version": 1, "splits": {"val": {"n": 72, "confusion": [[1, 2], [3, 4]]}}}
    run.metrics.write_text(json.dumps(metrics))
    (run.figures / "curves.png").write_bytes(b"12345")
    samples.finish(run)
    shown = valid(describe(run))
    assert (shown.run_id, shown.state, shown.problems) == (run.id, "finished", ())
    assert shown.manifest == samples.manifest(run.id)
    assert shown.result == samples.result(run.id)
    assert shown.metrics == metrics
    assert [attempt.ended for attempt in shown.attempts] == ["finished"]
    assert [row["epoch"] for row in shown.history_tail] == list(range(12 - HISTORY_TAIL, 12))
    assert shown.history_tail[-1]["train/loss"] is None
    assert shown.files["figures/curves.png"] == 5
    assert {"manifest.json", "attempts/1.json", "events.jsonl", "git.diff"} <= shown.files.keys()


def test_a_run_is_shown_while_it_runs(run: RunDir) -> None:
    with run.lock():
        shown = valid(describe(run))
    assert (shown.state, shown.result, shown.attempts[0].ended) == ("running", None, None)


def test_a_directory_of_nothing_is_shown_with_what_it_lacks(tmp_path: Path) -> None:
    shown = valid(describe(RunDir.create(tmp_path, "a")))
    assert (shown.state, shown.manifest, shown.attempts, shown.files) == ("interrupted", None, (), {})
    assert "manifest.json" in shown.problems[0]


@pytest.mark.parametrize(
    "name", ["manifest.json", "result.json", "metrics.json", "history.csv", "attempts/1.json"]
)
@pytest.mark.parametrize("content", [b"\0" * 60, b'{"a": NaN}', b"[]"])
def test_damage_is_told_and_the_rest_is_shown(name: str, content: bytes, run: RunDir) -> None:
    samples.finish(run)
    (run.path / name).write_bytes(content)
    shown = valid(describe(run))
    assert len({problem.split(": ")[0] for problem in shown.problems}) == 1
    assert str(run.path / name) in shown.problems[0]
    assert (shown.manifest is None) == (name == "manifest.json")
    assert bool(shown.attempts) == (name != "attempts/1.json")


@pytest.mark.parametrize("name", sorted(schemas.DOCUMENTS))
def test_the_published_schemas_are_those_of_the_code(name: str) -> None:
    published = json.loads((PUBLISHED / f"{name}.schema.json").read_text())
    assert published == schemas.schema(schemas.DOCUMENTS[name])
    jsonschema.Draft202012Validator.check_schema(published)


def test_the_other_documents_obey_their_schemas() -> None:
    for name, document in {
        "manifest": samples.manifest("r"),
        "attempt": samples.ended(samples.attempt("r")),
        "result": samples.result("r"),
    }.items():
        schema = json.loads((PUBLISHED / f"{name}.schema.json").read_text())
        jsonschema.Draft202012Validator(schema).validate(document.document())


def test_a_file_that_a_training_removes_meanwhile_is_left_out(
    run: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaving = run.path / "leaving.tmp"
    leaving.touch()
    looked_at = Path.is_file

    def and_gone(path: Path) -> bool:
        there = looked_at(path)
        if path == leaving:
            path.unlink(missing_ok=True)
        return there

    monkeypatch.setattr(Path, "is_file", and_gone)

    files = describe(run).files

    assert "manifest.json" in files
    assert "leaving.tmp" not in files
