"""Several questions answered from one look at the folder, and what an index knows of looks at test splits."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from ctexp.core import files
from ctexp.core.locks import FileLock
from ctexp.record.index import Index, Query, at_once, count, list_runs, looks, opened, refresh, select
from ctexp.record.look import Named
from ctexp.record.run_dir import RunDir
from tests.record import samples

LOOK = Named(3, "ab" * 32)


@pytest.fixture
def refreshed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that were looked at, in order."""
    folders: list[Path] = []
    true = refresh.changes

    def spy(connection: object, runs: Path) -> refresh.Changes:
        folders.append(runs)
        return true(connection, runs)  # type: ignore[arg-type]

    monkeypatch.setattr(opened, "changes", spy)
    return folders


def write_figures(run: RunDir, named: Sequence[Named]) -> None:
    """Figures of a split for each look, replaced as evaluation replaces them."""
    splits = {f"split{n}": {"look": look._asdict()} for n, look in enumerate(named)}
    files.write_json(run.metrics, {"schema_version": 1, "splits": splits | {"val": {"n": 72}}})


def test_all_questions_inside_are_answered_from_one_look(tmp_path: Path, refreshed: list[Path]) -> None:
    first = samples.run_of(tmp_path, "a")
    with at_once(tmp_path):
        assert [run.id for run in list_runs(tmp_path)] == [first.id]
        second = samples.run_of(tmp_path, "b")
        assert [run.id for run in select(tmp_path, Query(name_part="b"))] == []
        assert count(tmp_path) == 1
        assert refreshed == [tmp_path]
    assert {run.id for run in list_runs(tmp_path)} == {first.id, second.id}
    assert refreshed == [tmp_path, tmp_path]


def test_another_folder_is_looked_at_by_itself(tmp_path: Path) -> None:
    samples.run_of(tmp_path / "one")
    other = samples.run_of(tmp_path / "other")
    with at_once(tmp_path / "one"):
        assert [run.id for run in list_runs(tmp_path / "other")] == [other.id]


def test_after_an_error_inside_every_question_looks_again(tmp_path: Path) -> None:
    with pytest.raises(KeyError), at_once(tmp_path):
        raise KeyError
    samples.run_of(tmp_path)
    assert count(tmp_path) == 1


def test_looks_that_figures_name_are_known_until_the_figures_are_others(tmp_path: Path) -> None:
    run, other = samples.run_of(tmp_path, "a"), samples.run_of(tmp_path, "b")
    write_figures(run, [LOOK, Named(4, None)])
    write_figures(other, [])
    assert looks(tmp_path) == [(run.id, LOOK), (run.id, Named(4, None))]
    write_figures(run, [])
    write_figures(other, [LOOK])
    assert looks(tmp_path) == [(other.id, LOOK)]


@pytest.mark.parametrize(
    "text", ['{"splits": {"test": {"look": 5}}}', '{"splits": ["look"]}', '["look"]', '{"look"', '"look"']
)
def test_damaged_figures_name_no_look_and_hide_no_run(tmp_path: Path, text: str) -> None:
    run = samples.run_of(tmp_path)
    files.write_text(run.metrics, text)
    assert looks(tmp_path) == []
    assert [one.id for one in list_runs(tmp_path)] == [run.id]


def test_a_run_that_never_described_itself_is_as_old_as_its_id_says(tmp_path: Path) -> None:
    nameless = tmp_path / "net_20261121-050417_abc234"
    nameless.mkdir()
    assert [run.id for run in select(tmp_path, Query(since="2026-11-21T05:04:17.000Z"))] == [nameless.name]
    assert select(tmp_path, Query(since="2026-11-21T05:04:18.000Z")) == []


def test_a_large_index_that_is_in_use_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples.run_of(tmp_path)
    list_runs(tmp_path)
    asked: list[float] = []
    monkeypatch.setattr(FileLock, "acquire", lambda _lock, patience: asked.append(patience))
    size = (tmp_path / "index.sqlite").stat().st_size
    for bytes_a_second in (size * 10, size / 7):
        monkeypatch.setattr(opened, "_WORTH_A_SECOND", bytes_a_second)
        with Index(tmp_path) as index:
            assert index.count(Query()) == 1
    assert asked == [0.2, pytest.approx(7)]
