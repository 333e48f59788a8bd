"""`report` as it is called: what it prints, what it writes, and how it ends."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from invoke.exceptions import Exit

from ctexp.cli.verb import perform
from ctexp.record.manifest import Origin
from tests import judged
from tests.project import make_project

FLAGS: dict[str, Any] = {
    "runs": None,
    "queue": None,
    "since": None,
    "baseline": None,
    "output": None,
    "csv": False,
    "json": False,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose data set is gone, with two seeds of `good` and of `poor` in queue night."""
    folder = make_project(tmp_path_factory.mktemp("report") / "project")
    for seed in (1, 2):
        judged.a_run(folder / "runs", "good", seed, skill=3, root=folder)
        judged.a_run(folder / "runs", "poor", seed, skill=0.5, root=folder, origin=Origin(queue="night"))
    return folder


@pytest.fixture
def project(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(made)
    monkeypatch.delenv("CTEXP_ROOT", raising=False)
    return made


def reported(capsys: pytest.CaptureFixture[str], code: int = 0, **flags: Any) -> tuple[str, str]:
    """Report, expecting an exit code; what stood on stdout and on stderr."""
    ended = 0
    try:
        perform("report:report", FLAGS | flags, debug=False)
    except Exit as error:
        ended = error.code
    said = capsys.readouterr()
    assert ended == code, said.err
    return said.out, said.err


def test_it_prints_the_verdict_and_writes_the_page_beside_the_runs(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = reported(capsys, runs=["good", "poor"])
    lines = out.splitlines()
    assert lines[0].startswith("poor is worse than good by macro F1.")
    assert len(lines) <= 15
    path = project / lines[-1].removeprefix("page: ")
    assert path.parent == project / "runs" / "reports"
    assert "the data set is not here" in path.read_text()


@pytest.mark.usefixtures("project")
def test_json_is_one_document_with_the_path_and_the_verdicts(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = tmp_path / "night.html"
    out, _ = reported(capsys, runs=["good", "poor"], output=str(page), csv=True, json=True)
    document = json.loads(out)
    assert Path(document["path"]) == page
    assert page.is_file()
    assert len(document["runs"]) == 4
    assert document["comparison"]["candidates"][0]["metrics"]["macro_f1"]["verdict"] == "worse"
    marks = [one["mark"] for one in document["experiments"][1]["verdict"]]
    assert marks[0] == "worse"
    assert {Path(table).name for table in document["tables"]} >= {"runs.csv", "predictions.csv"}
    assert all(Path(table).parent == tmp_path / "night_tables" for table in document["tables"])


@pytest.mark.usefixtures("project")
def test_a_baseline_that_is_named_leads_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = reported(capsys, queue="night", baseline="good", json=True)
    document = json.loads(out)
    assert [one["title"] for one in document["experiments"]] == ["good", "poor"]
    assert document["asked"] == "the runs of queue night"


def test_nothing_found_ends_in_3_and_says_what_there_is(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, err = reported(capsys, 3, queue="day")
    assert "there are 4 runs" in err
    assert "queues: night" in err
    assert not (project / "runs" / "reports" / "day.html").exists()


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"since": "8"}, "has no unit"),
        ({"runs": ["good"], "queue": "night"}, "--runs beside --queue or --since"),
        ({"runs": ["good"], "output": "page.pdf"}, "no name of a page"),
    ],
)
def test_words_that_mean_nothing_end_in_2(
    capsys: pytest.CaptureFixture[str], flags: dict[str, Any], said: str
) -> None:
    _, err = reported(capsys, 2, **flags)
    assert said in err


def test_a_killed_run_beside_others_is_warned_of_and_does_not_hide_them(
    project: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    killed = judged.a_run(project / "runs", "killed", 1, root=project, state="interrupted")
    out, err = reported(capsys, runs=["good", killed.id], output=str(page), json=True)
    document = json.loads(out)
    assert [one["title"] for one in document["experiments"]] == ["good"]
    resume = f"scripts/inv train --resume {killed.id}"
    assert f"warning: left out: {killed.id}: interrupted" in err
    assert resume in err
    assert any(one["about"] == "this page" and resume in one["text"] for one in document["warnings"])
    assert resume in page.read_text()
    _, err = reported(capsys, 3, runs=[killed.id])
    assert resume in err


def test_no_torch_is_loaded(project: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from ctexp.cli.report import report; "
        f"report(['good', 'poor'], None, None, None, {str(tmp_path / 'p.html')!r}, True, False); "
        "print([name for name in ('torch', 'matplotlib', 'timm') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=project, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
