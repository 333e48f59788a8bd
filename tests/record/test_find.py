import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ctexp.core.errors import DataError, UsageError
from ctexp.record.find import find, find_either, run_paths
from ctexp.record.run_dir import RunDir
from ctexp.record.subjects import subject
from tests.record import samples

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Three runs, an hour apart: resnet18, resnet50, resnet50-aug; and what else lies in such a folder."""
    for hour, name in enumerate(["resnet18", "resnet50", "resnet50-aug"]):
        RunDir.create(tmp_path, name, NOON + timedelta(hours=hour))
    (tmp_path / "queues").mkdir()
    (tmp_path / "index.sqlite").touch()
    (tmp_path / ".DS_Store").touch()
    return tmp_path


def test_other_folders_are_no_runs(runs: Path) -> None:
    assert [path.name.split("_")[0] for path in run_paths(runs)] == ["resnet18", "resnet50", "resnet50-aug"]


def test_a_run_is_found_by_id_beginning_path_and_latest(runs: Path) -> None:
    _, second, third = run_paths(runs)
    assert find(runs, second.name).path == second
    assert find(runs, "resnet50_").path == second
    assert find(runs, "resnet50-").path == third
    assert find(runs, str(second)).path == second
    assert find(runs, "latest").path == third


def test_latest_is_by_time_not_by_name(runs: Path) -> None:
    newest = RunDir.create(runs, "a", NOON + timedelta(days=1))
    RunDir.create(runs, "z", NOON - timedelta(days=1))
    os.utime(run_paths(runs)[0])
    assert find(runs, "latest") == newest


def test_latest_of_one_second_is_the_one_created_last(runs: Path) -> None:
    later = NOON + timedelta(days=1)
    for name, created in [("b", "2026-11-22T12:00:00.900Z"), ("a", "2026-11-22T12:00:00.100Z")]:
        samples.begun(RunDir.create(runs, name, later), name=name, created=created)
    assert find(runs, "latest").id.startswith("b_")


def test_latest_is_refused_where_nothing_tells_two_apart(runs: Path) -> None:
    twins = [RunDir.create(runs, name, NOON + timedelta(days=1)).id for name in ("a", "b")]
    with pytest.raises(UsageError) as caught:
        find(runs, "latest")
    assert all(twin in caught.value.problems[0] for twin in twins)


def test_a_beginning_that_several_share_lists_them(runs: Path) -> None:
    with pytest.raises(UsageError) as caught:
        find(runs, "resnet50")
    assert all(path.name in caught.value.problems[0] for path in run_paths(runs)[1:])
    assert "resnet18" not in caught.value.problems[0]


def test_a_long_list_of_candidates_is_cut_and_counted(tmp_path: Path) -> None:
    for _ in range(14):
        RunDir.create(tmp_path, "a")
    with pytest.raises(UsageError, match=r"means 14 runs: .* and 4 more"):
        find(tmp_path, "a_")


@pytest.mark.parametrize(("typed", "nearest"), [("resnett18", "resnet18"), ("latst", "latest")])
def test_a_misspelt_run_names_the_nearest(typed: str, nearest: str, runs: Path) -> None:
    with pytest.raises(DataError) as caught:
        find(runs, typed)
    assert repr(nearest) in caught.value.hint


@pytest.mark.parametrize("selector", ["", "a\0b"])
def test_what_cannot_name_a_run_is_a_bad_command(selector: str, runs: Path) -> None:
    with pytest.raises(UsageError) as caught:
        find(runs, selector)
    assert "RUN" not in str(caught.value), "the word may have been given as --run"


@pytest.mark.parametrize("selector", ["./queues", "/nonexistent/run", "x/" * 3000])
def test_a_path_to_anything_else_is_refused(
    selector: str, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(runs)
    for either in (find, find_either, subject):
        with pytest.raises(DataError):
            either(runs, selector)


def test_a_link_that_leads_in_a_circle_hides_no_run(runs: Path) -> None:
    there = run_paths(runs)
    (runs / "circle").symlink_to("circle")
    assert run_paths(runs) == there


def test_a_run_that_was_renamed_is_found_under_its_new_name(runs: Path) -> None:
    run = samples.run_of(runs)
    run.path.rename(runs / "my best one")
    assert find(runs, "my best one").state() == "finished"


@pytest.mark.parametrize("folder", ["empty", "missing"])
def test_without_runs_the_way_to_make_one_is_shown(folder: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no runs yet") as caught:
        find(tmp_path / folder, "latest")
    assert "quickstart" in caught.value.hint


def test_a_link_to_a_run_beside_it_is_not_another_run(tmp_path: Path) -> None:
    runs, elsewhere = tmp_path / "runs", tmp_path / "elsewhere"
    run = RunDir.create(runs, "one")
    moved = RunDir.create(elsewhere, "two")
    (runs / "newest_20990101-000000_aaaaaa").symlink_to(run.path)
    (runs / moved.id).symlink_to(moved.path)
    assert {path.name for path in run_paths(runs)} == {run.id, moved.id}
