"""`findings-check`: exit codes and what is printed."""

import json
import shutil
from pathlib import Path

import pytest

from ctexp.cli.findings_check import findings_check
from ctexp.core.errors import UsageError
from ctexp.research import findings
from ctexp.research.places import Places
from tests.research.findings import project

PAGE = "research/results/noise/FINDINGS.md"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("check") / "project"
    project.make(root)
    findings.write(root, project.its_plan(root), root / "data")
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = Path(shutil.copytree(made, tmp_path / "project"))
    monkeypatch.setenv("CTEXP_ROOT", str(root))
    monkeypatch.chdir(root)
    return root


@pytest.mark.usefixtures("root")
def test_all_equal(capsys: pytest.CaptureFixture[str]) -> None:
    assert findings_check(json=False) == 0
    told = capsys.readouterr()
    assert told.out.endswith("files recomputed, all equal\n")
    assert told.err == "1 figure counted or reported by handlers: nothing to recompute from\n"


def test_a_digit(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = root / PAGE
    page.write_text(page.read_text().replace("(95 % CI 0.", "(95 % CI 1.", 1))
    assert findings_check(json=True) == 12
    document = json.loads(capsys.readouterr().out)
    assert document["exit_code"] == 12
    (found,) = document["differences"]
    assert found["file"] == PAGE
    assert "(95 % CI 1." in found["problem"]


def test_runs_that_are_gone(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(root / "runs")
    assert findings_check(json=False) == 3
    assert ": missing\n" in capsys.readouterr().out
    page = root / PAGE
    page.write_text(page.read_text().replace("(95 % CI 0.", "(95 % CI 1.", 1))
    assert findings_check(json=False) == 12
    out = capsys.readouterr().out
    assert ": missing\n" in out
    assert f"{PAGE}:" in out


def test_no_findings_and_no_plan(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (Places(root).results, root / "research" / "results.yaml", root / "research" / "FINDINGS.md"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert findings_check(json=False) == 0
    assert "no findings yet" in capsys.readouterr().out
    Places(root).plan.unlink()
    with pytest.raises(UsageError):
        findings_check(json=False)
