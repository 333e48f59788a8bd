"""`inv diagnose`: what people see, and what scripts read."""

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from ctexp.cli import diagnose
from ctexp.core.errors import CtexpError
from tests.planning.diagnosis.made import answers
from tests.planning.study.projects import a_run, in_order
from tests.project import INV, make_project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_project(tmp_path_factory.mktemp("diagnosed") / "project")
    with in_order():
        for seed, table in answers([20] * 4, 2, 3, sharpness=3).items():
            a_run(root, "base", seed, tables={"val": table})
    return root


def said(capsys: pytest.CaptureFixture[str], *runs: str, json: bool = False) -> str:
    """What the verb prints in the project that `CTEXP_ROOT` names."""
    diagnose.diagnose(list(runs) or None, json)
    return capsys.readouterr().out


def test_a_project_without_history_is_told_so_and_what_is_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CTEXP_ROOT", str(make_project(tmp_path / "project")))
    told = said(capsys)
    assert told.startswith("Nothing is established yet: no training on these images was judged.\n")
    assert told.endswith("next: scripts/inv plan\n")
    assert not (tmp_path / "project" / "runs").exists()


def test_the_bottleneck_its_evidence_and_what_would_refute_it(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CTEXP_ROOT", str(project))
    lines = said(capsys).splitlines()
    assert lines[0].startswith("The bottleneck is calibration: it is too sure of its answers")
    assert any(line.startswith("confidence  high: all three trainings say so") for line in lines)
    assert any(line.startswith("refuted by  ") for line in lines)
    assert any(line.startswith("rests on    base_2026") for line in lines)
    [pair] = [line for line in lines if line.split()[:2] == ["confused", "pair"]]
    assert len(pair) <= 120  # a table that can be read, off a terminal too
    assert "established: no difference between recipes" in lines
    assert lines[-1] == "next: scripts/inv plan"


def test_the_document_and_what_may_be_named(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CTEXP_ROOT", str(project))
    document = json.loads(said(capsys, json=True))
    assert (document["bottleneck"], document["recipes"], document["runs"]) == ("calibration", 1, 3)
    assert len(document["findings"]) == 13
    [found] = [one for one in document["findings"] if one["kind"] == "calibration"]
    assert found["evidence"]["temperature"]["1"]["low"] > 1.25
    first = sorted(one.name for one in (project / "runs").glob("base_*"))[0]
    document = json.loads(said(capsys, first, json=True))
    assert (document["runs"], document["bottleneck"]) == (1, "noise_floor_unknown")
    with pytest.raises(CtexpError, match="bsae"):
        said(capsys, "bsae")


def test_it_fits_a_narrow_terminal(project: Path) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [INV, "diagnose"],
        cwd=project,
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"COLUMNS": "80", "TERM": "dumb"},
    ) as child:
        os.close(theirs)
        said = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # the other side is closed
                break
            said += part
            if not part:
                break
    os.close(ours)
    assert child.returncode == 0
    lines = said.decode().replace("\r", "").splitlines()
    assert "next: scripts/inv plan" in lines
    assert max(map(len, lines)) <= 80
