"""`inv audit-tracking`: order and wording of what it prints, and the document it stands in."""

import json
from pathlib import Path
from typing import Any

import pytest

from ctexp.cli.audit_tracking import audit_tracking
from ctexp.core.errors import DataError
from ctexp.record.run_dir import RunDir
from tests.checklist.records import repository, whole
from tests.project import HERE


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "lung"
    repository(root)
    (root / "conf").symlink_to(HERE / "conf")
    monkeypatch.setenv("CTEXP_ROOT", str(root))
    return root


def printed(capsys: pytest.CaptureFixture[str], run: str = "") -> str:
    audit_tracking(run, json=False)
    return capsys.readouterr().out


def document(capsys: pytest.CaptureFixture[str], run: str = "") -> dict[str, Any]:
    audit_tracking(run, json=True)
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def test_it_says_the_whole_first_and_how_the_score_comes_about_last(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole(project, "net", 1, tags=(), description="")
    other = whole(project, "net", 2, overrides=("optimizer.lr=0.5",))
    other.config.unlink()
    told = printed(capsys)
    order = [
        "project lung: ",
        "\nCritical\n  configuration, ",
        "\nRecommendations\n  tags, ",
        "\nMetrics worth adding\n",
        "\nNext steps\n  1. scripts/inv ",
        "\nHow the score comes about\n",
    ]
    places = [told.index(part) for part in order]
    assert places == sorted(places)
    assert places[0] == 0
    assert "something vital is missing (1 of 2 runs)" in told
    assert "    -> train again: scripts/inv train" in told


def test_a_run_is_named_by_all_that_means_it(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = whole(project, "net", 1), whole(project, "net", 2)
    assert printed(capsys, first.id).startswith(f"{first.id}: 100 of 100 points, nothing vital is missing\n")
    assert printed(capsys, second.id[:-2]).startswith(f"{second.id}: 100 of 100 points")
    both = document(capsys, "net")
    assert (both["subject"], {one["run"] for one in both["runs"]}) == ("net", {first.id, second.id})
    with pytest.raises(DataError, match="nothing-like-it"):
        audit_tracking("nothing-like-it", json=False)


def test_the_document_says_what_the_page_says(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = whole(project, tags=(), description="")
    told = document(capsys, run.id)
    assert (told["subject"], told["score"], told["verdict"]) == (run.id, 98, "whole")
    assert sum(point["weight"] for point in told["points"]) == 100
    tags = next(point for point in told["points"] if point["point"] == "tags")
    assert (tags["share"], tags["lacking"]) == (0.0, [run.id])
    assert [one["point"] for one in told["recommendations"]] == ["tags"]
    assert told["critical"] == []
    assert list(told)[:5] == ["schema_version", "subject", "score", "verdict", "assessment"]


def test_relatives_of_a_run_count_as_its_seeds(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [whole(project, "net", seed) for seed in (1, 2, 3)]
    assert not any("spread" in one["said"] for one in document(capsys, runs[0].id)["metrics"])
    RunDir(runs[2].path).manifest.unlink()
    assert any("spread" in one["said"] for one in document(capsys, runs[0].id)["metrics"])


@pytest.mark.usefixtures("project")
def test_a_project_without_runs_says_how_to_make_one() -> None:
    with pytest.raises(DataError, match="no runs yet") as refused:
        audit_tracking("", json=False)
    assert "quickstart" in refused.value.hint
