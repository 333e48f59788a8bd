"""`inv monitor`: what people see, what scripts read, and the exit code."""

import json
from pathlib import Path
from typing import Any

import pytest

from ctexp.cli.monitor import monitor
from ctexp.core.errors import CtexpError, DataError, UsageError
from ctexp.monitor import live as following
from tests.judged import a_run, dataset, predictions
from tests.monitor.test_records import a_later_run, scaled
from tests.project import make_project


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sound runs of a name, and a later one that is dead."""
    root = make_project(tmp_path_factory.mktemp("monitored") / "project")
    for seed in (1, 2):
        a_later_run(root / "runs", seed, seed, name="sound")
    a_later_run(root / "runs", 5, 3, name="dead", tables={"val": scaled(predictions(), 1e-4)})
    return root


@pytest.fixture
def project(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CTEXP_ROOT", str(made))
    monkeypatch.chdir(made)
    return made


def look(run: str = "latest", **flags: Any) -> int | None:
    return monitor(run, **dict.fromkeys(("all", "live", "strict", "json"), False) | flags)


@pytest.mark.usefixtures("project")
def test_a_table_with_evidence_and_advice(capsys: pytest.CaptureFixture[str]) -> None:
    assert look("dead") is None
    told = capsys.readouterr().out
    assert told.startswith("dead_")
    assert ": 1 alarm\n" in told.splitlines(keepends=True)[0]
    assert "dead outputs" in told
    assert "get the same" in told
    assert "-> lower optimizer.lr" in told


@pytest.mark.usefixtures("project")
def test_nothing_wrong_is_said_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    look("sound")
    assert capsys.readouterr().out.splitlines()[0] == "2 runs looked at: nothing looks wrong"


def test_what_was_never_trained_is_not_said_to_look_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_project(tmp_path / "project")
    monkeypatch.setenv("CTEXP_ROOT", str(root))
    (root / "runs" / "net_20261121-050417_ab2cd3").mkdir(parents=True)
    look()
    assert capsys.readouterr().out.splitlines()[0].endswith(", interrupted: no epoch to judge")


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(("run", "code"), [("dead", 12), ("sound", None)])
def test_strict_is_the_exit_code(run: str, code: int | None) -> None:
    assert look(run, strict=True) == code


@pytest.mark.usefixtures("project")
def test_the_document_holds_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert look(all=True, json=True, strict=True) == 12
    document = json.loads(capsys.readouterr().out)
    assert document["counts"] == {"alarm": 1, "warning": 0, "note": 0}
    assert [run["name"] for run in document["runs"]].count("sound") == 2
    finding = next(run for run in document["runs"] if run["name"] == "dead")["findings"][0]
    assert finding["rule"] == "dead_outputs"
    assert finding["evidence"]["images"] == 80
    assert {"severity", "confidence", "advice", "runs", "passed"} <= finding.keys()
    assert all(one["why"] for run in document["runs"] for one in run["unknown"])


@pytest.mark.usefixtures("project")
def test_live_with_nothing_at_work_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert look(live=True, strict=True) is None
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "nothing trains now\n")


@pytest.mark.usefixtures("project")
def test_live_survives_a_run_that_vanished(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = "gone_20261121-050417_ab2cd3"
    told = [following.Change("follows", gone), following.Change("ended", gone, said="its directory is gone")]
    monkeypatch.setattr(following, "follow", lambda *_: iter(told))
    assert look(live=True, strict=True) is None
    assert capsys.readouterr().out == f"{gone}: followed\n{gone}: its directory is gone\n"


@pytest.mark.usefixtures("project")
def test_words_that_mean_nothing_or_contradict() -> None:
    with pytest.raises(DataError, match="no run 'souns'"):
        look("souns")
    for run, live, left in (
        ("latest", True, "leave --all out"),
        ("sound", False, "leave out 'sound' or --all"),
    ):
        with pytest.raises(UsageError, match="--all") as refused:
            look(run, all=True, live=live)
        assert refused.value.hint == left


def test_the_same_finding_of_runs_of_a_name_is_one_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_project(tmp_path / "project")
    monkeypatch.setenv("CTEXP_ROOT", str(root))
    for seed in (1, 2, 3):
        leaks = (f"official split: {seed} of 80 val images are copies of training images",)
        a_later_run(root / "runs", seed, seed, name="leaky", dataset=dataset(leaks=leaks if seed < 3 else ()))
    dead = a_later_run(root / "runs", 4, 4, name="dead", tables={"val": scaled(predictions(), 1e-4)})
    look(all=True)
    told = capsys.readouterr().out
    assert told.startswith("4 runs looked at: 3 alarms\n")
    rows = [line for line in told.splitlines() if line.startswith("alarm")]
    assert len(rows) == 2
    assert any(f"  {dead.id}: " in row for row in rows)
    assert any("  leaky (2 of 3 runs), for example leaky_" in row for row in rows)
    assert not any(line.endswith(" ") for line in told.splitlines())
    untold = [line for line in told.splitlines() if line.startswith("not known: outside history")]
    assert untold == ["not known: outside history: fewer than 5 earlier runs of its recipe (4 runs)"]


def test_a_project_without_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CTEXP_ROOT", str(make_project(tmp_path / "project")))
    for every in (False, True):
        with pytest.raises(CtexpError, match="no runs yet"):
            look(all=every)


def test_a_path_is_a_run(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = a_run(project / "runs", "other", skill=3.0)
    look(f"runs/{run.id}")
    assert capsys.readouterr().out.startswith(f"{run.id}, finished: nothing looks wrong")
