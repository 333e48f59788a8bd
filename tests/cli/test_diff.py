"""`inv diff`: what is printed of two runs, and what is refused."""

import json
from pathlib import Path

import pytest

from ctexp.cli.diff import diff
from ctexp.core.errors import UsageError
from tests.judged import a_cross_validation, a_run
from tests.project import make_project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = make_project(tmp_path / "project")
    monkeypatch.setenv("CTEXP_ROOT", str(root))
    return root


def test_two_runs_are_printed_by_section_and_given_as_one_document(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = a_run(project / "runs", "narrow")
    other = a_run(project / "runs", "wide", 2, overrides=("model.dropout=0.5",))

    diff("narrow", "wide", json=False)
    printed = capsys.readouterr().out
    assert printed.startswith(f"a  {one.id}\nb  {other.id}\n")
    assert "\ncode: the same\n" in printed
    assert "\ndata: the same\n" in printed
    assert "model.dropout" in printed
    assert "inv compare-baselines" in printed
    assert not any(line.endswith(" ") for line in printed.splitlines())

    diff(one.id, other.id, json=True)
    document = json.loads(capsys.readouterr().out)
    assert [document["a"], document["b"]] == [one.id, other.id]
    found = {row["what"]: row["b"] for row in document["configuration"]["differences"]}
    assert found["model.dropout"] == 0.5
    f1 = next(row for row in document["results"]["differences"] if row["what"] == "val/macro_f1")
    assert f1["a"]["low"] < f1["a"]["value"] < f1["a"]["high"]
    assert document["code"] == {"differences": [], "notes": []}


def test_more_or_less_than_two_runs_are_refused_in_one_line(project: Path) -> None:
    runs = [a_run(project / "runs", "net", seed) for seed in (1, 2)]
    whole = a_cross_validation(project / "runs")
    for words, said in (
        (("net", runs[0].id), "'net' means 2 runs"),
        ((runs[0].id, runs[0].id), "are both"),
        ((runs[0].id, whole.id), "a cross-validation"),
    ):
        with pytest.raises(UsageError, match=said):
            diff(*words, json=False)
