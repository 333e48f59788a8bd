"""`inv runs` and `inv show`, on records made by the real writers."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from invoke.exceptions import Exit
from rich.console import Console

from ctexp.cli.verb import perform
from ctexp.core import screen
from ctexp.record import baselines, index, writing
from ctexp.record.cross_validation import CrossValidation, CrossValidationDir, Fold
from ctexp.record.index import Query
from ctexp.record.manifest import Origin
from ctexp.record.result import Measurement
from ctexp.record.run_dir import RunDir
from tests import judged
from tests.project import HERE, make_project
from tests.record import samples
from tests.record.test_baselines import a_baseline


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A resumed run, one that failed, two folds of a cross-validation, one of them interrupted."""
    folder = make_project(tmp_path_factory.mktemp("project") / "project")
    runs = folder / "runs"
    resumed = samples.run_of(runs, "resumed", state="interrupted")
    writing.resume(resumed, samples.attempt(resumed.id, 2), b"")
    samples.finish(resumed, attempt=2, duration_seconds=60.0, metrics={"val/loss": Measurement(value=0.3)})
    samples.run_of(runs, "failed", state="failed")
    place = CrossValidationDir.create(runs, "whole")
    dataset = samples.manifest("r").dataset
    members = []
    for fold, state in enumerate(("finished", "interrupted")):
        its: dict[str, Any] = {
            "dataset": dataset.model_copy(update={"fold": fold}),
            "origin": Origin(parent=place.id),
        }
        run = samples.run_of(runs, "fold", state, **its)
        members.append(Fold(fold=fold, seed=42, run_id=run.id, state=state))
    record: dict[str, Any] = {
        "id": place.id,
        "name": "fold",
        "created": samples.BEGIN,
        "command": "scripts/inv cross-validate",
        "overrides": (),
        "config_sha256": samples.HASH,
        "dataset": "chest_ct",
        "catalog_sha256": samples.HASH,
        "split_sha256": samples.HASH,
        "folds": 2,
        "seeds": (42,),
        "members": tuple(members),
    }
    CrossValidation(**record).write(place.record)
    return folder


@pytest.fixture(autouse=True)
def inside(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)


LISTED: dict[str, Any] = {
    "name": None,
    "tag": [],
    "state": None,
    "sort": "started",
    "limit": 20,
    "json": False,
}


def listed(capsys: pytest.CaptureFixture[str], **flags: Any) -> Any:
    perform("runs:runs", LISTED | flags, debug=True)
    out = capsys.readouterr().out
    return json.loads(out) if flags.get("json") else out


def refused(capsys: pytest.CaptureFixture[str], verb: str, **words: Any) -> str:
    with pytest.raises(Exit) as caught:
        perform(verb, words | {"json": False}, debug=False)
    assert caught.value.code in {2, 3}
    return capsys.readouterr().err


def test_a_list_shows_folds_and_what_a_resumed_run_took_in_all(capsys: pytest.CaptureFixture[str]) -> None:
    text = listed(capsys)
    heading, *rows = text.splitlines()
    assert heading.split()[:8] == ["run", "state", "model", "data", "seed", "fold", "part", "of"]
    assert all(" 42 " in row for row in rows)
    (resumed,) = [row for row in rows if row.startswith("resumed")]
    assert "1 min 00 s of 13 min 05 s" in resumed
    (fold,) = [row for row in rows if row.startswith("fold") and "finished" in row]
    assert " 0 " in fold
    assert "whole_" in fold
    assert "part of" not in listed(capsys, name="resumed")


def test_a_list_is_filtered_sorted_and_cut(capsys: pytest.CaptureFixture[str]) -> None:
    document = listed(capsys, sort="val_loss", json=True)
    assert [run["name"] for run in document["runs"]][-1] == "resumed", "the least loss is best, 0.3 is most"
    assert document["matching"] == 4
    document = listed(capsys, state="finished", limit=1, json=True)
    assert (len(document["runs"]), document["matching"]) == (1, 2)
    (run,) = listed(capsys, name="sum", json=True)["runs"]
    assert (run["duration_seconds"], run["total_seconds"], run["fold"]) == (60.0, 785.333, None)
    perform("runs:runs", LISTED | {"sort": "val/f1"}, debug=True)
    assert capsys.readouterr().err == "val/f1 is val/macro_f1\n"
    assert "did you mean" in refused(
        capsys, "runs:runs", name=None, tag=[], state=None, sort="val/los", limit=20
    )


def test_a_filter_that_nothing_passes_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    perform("runs:runs", LISTED | {"name": "zzz", "tag": ["night-1"], "state": "failed"}, debug=True)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "no run matches --name zzz --tag night-1 --state failed (4 runs in all)\n"


@pytest.mark.parametrize("width", [80, 120])
def test_a_narrow_terminal_shows_ids_seeds_and_the_metric_whole(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = listed(capsys, state="finished")
    console = Console(file=sys.stdout, force_terminal=True, width=width)
    monkeypatch.setattr(screen, "results", lambda: console)
    narrow = re.sub(r"\x1b\[\d*m", "", listed(capsys, state="finished"))
    assert max(map(len, narrow.splitlines())) <= width
    row = next(line for line in narrow.splitlines() if line.startswith("fold"))
    assert row.split()[0] in wide
    assert row.split()[-8:] == ["42", "0", "12", "min", "05", "s", "0.887", "(0.84-0.92)"]


def shown(capsys: pytest.CaptureFixture[str], run: str, *, json_: bool = False) -> str:
    perform("runs:show", {"run": run, "json": json_}, debug=True)
    return capsys.readouterr().out


def test_a_cross_validation_is_shown_by_its_id_a_beginning_or_its_path(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place,) = [CrossValidationDir(path) for path in (project / "runs/cross-validations").iterdir()]
    for said in (place.id, "who", f"runs/cross-validations/{place.id}"):
        text = shown(capsys, said)
        assert text.startswith(f"{place.id}  interrupted\n")
        assert "fold 1, seed 42: interrupted" in text
    document = json.loads(shown(capsys, place.id, json_=True))
    schema = json.loads((HERE / "docs/schemas/show_cross_validation.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)
    assert (document["metrics"], document["problems"]) == (None, [])
    assert [member["state"] for member in document["record"]["members"]] == ["finished", "interrupted"]
    place.summary.write_text("the table\n")
    place.metrics.write_text('{"oof": 0.5}')
    assert shown(capsys, place.id) == f"{place.id}  interrupted\nthe table\n"
    assert json.loads(shown(capsys, place.id, json_=True))["metrics"] == {"oof": 0.5}


def test_a_damaged_cross_validation_is_shown_as_far_as_it_goes(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = CrossValidationDir.create(project / "runs", "broken")
    place.record.write_bytes(b"\0" * 20)
    perform("runs:show", {"run": "broken", "json": False}, debug=True)
    said = capsys.readouterr()
    assert said.out == f"{place.id}  unreadable\n"
    assert f"warning: {place.record}" in said.err
    place.record.unlink()


def test_a_run_s_id_comes_before_that_of_a_cross_validation(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = RunDir(next((project / "runs").glob("resumed_*")))
    CrossValidationDir.create(project / "runs", "resumed")
    assert shown(capsys, "resumed").startswith(f"{run.id}  finished\n")
    CrossValidationDir.create(project / "runs", "several")
    CrossValidationDir.create(project / "runs", "several")
    assert "means 2 cross-validations" in refused(capsys, "runs:show", run="several")
    assert "no run 'nothing'" in refused(capsys, "runs:show", run="nothing")


@pytest.fixture(scope="module")
def judged_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seeds of `base`, the worse `solo`, `solo-2` that was interrupted, and a cross-validation."""
    folder = make_project(tmp_path_factory.mktemp("judged") / "project")
    runs = folder / "runs"
    judged.a_run(runs, "base", 1, skill=1)
    judged.a_run(runs, "base", 2, skill=3)
    judged.a_run(runs, "solo", 1, skill=0)
    samples.run_of(runs, "solo-2", "interrupted")
    judged.a_cross_validation(runs, "cv", skill=9)
    return folder


def test_what_other_verbs_take_is_shown_where_it_is_one_thing(
    judged_project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(judged_project)
    runs = judged_project / "runs"
    best = next(one.id for one in index.select(runs, Query(where={"name": "base", "seed": 2})))
    assert shown(capsys, "best").startswith(f"{best}  finished\n")
    assert shown(capsys, "solo").startswith("solo_")
    assert shown(capsys, "solo-2").startswith("solo-2_")
    (place,) = (runs / "cross-validations").iterdir()
    assert shown(capsys, "cv").startswith(f"{place.name}  finished\n")
    both = [path.name for path in runs.glob("base_*")]
    told = refused(capsys, "runs:show", run="base")
    assert told.startswith("UsageError: 'base' means 2 runs: ")
    assert told.endswith(" -> name one\n")
    assert all(run in told for run in both)

    assert "no baseline is set yet" in refused(capsys, "runs:show", run="baseline")
    its = a_baseline(best, (best,)).model_copy(update={"kind": "run"})
    baselines.write(judged_project, baselines.Baselines(current=its))
    assert shown(capsys, "baseline").startswith(f"{best}  finished\n")
    baselines.write(judged_project, baselines.Baselines(current=a_baseline("base", tuple(both))))
    assert "'baseline' means 2 runs" in refused(capsys, "runs:show", run="baseline")


def test_what_was_evaluated_since_stands_below_the_results(
    judged_project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(judged_project)
    run = RunDir(next((judged_project / "runs").glob("solo_*")))
    assert "evaluated since" not in shown(capsys, run.id)
    document = json.loads(run.metrics.read_text())
    document["splits"]["test"] = {
        "cancer": {},
        "look": {"seq": 3, "sha256": samples.HASH},
        "metrics": {
            "test/macro_f1": {"value": 0.512, "low": 0.4, "high": 0.6, "n": 8, "method": "wilson"},
            "test/accuracy": {"value": 0.5, "low": None, "high": None, "n": 8, "method": "wilson"},
            "test/miss_rate": {"value": "lost"},
        },
    }
    document["splits"]["val"]["cancer"] = {}
    run.metrics.write_text(json.dumps(document))
    *_, end, val, test = shown(capsys, run.id).splitlines()
    assert set(end) == {"="}
    assert re.fullmatch(
        r"evaluated since, val: macro_f1 0\.\d+ \(95 % interval .*\), accuracy .*, miss_rate .*", val
    )
    assert test == (
        "evaluated since, test (look 3): macro_f1 0.512 (95 % interval 0.400 to 0.600), accuracy 0.500"
    )
