"""The folder of a reproduction: held while somebody works, gone where that is broken off or was killed."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ctexp.core.errors import Busy, Stopped
from ctexp.record.find import run_paths
from ctexp.reproduction.place import FOLDER, opened

NOW = datetime(2026, 11, 21, 5, 4, 17, tzinfo=UTC)
LATER = datetime(2026, 11, 21, 5, 4, 18, tzinfo=UTC)


def remove(folder: Path) -> None:
    shutil.rmtree(folder)


def test_it_stays_with_its_verdict_and_is_no_run(tmp_path: Path) -> None:
    with opened(tmp_path, "net_1", NOW, remove) as place:
        place.verdict.write_text("{}")
        assert place.lock().is_held()
    assert place.path == tmp_path / FOLDER / "net_1_20261121-050417"
    assert place.verdict.exists()
    assert not place.lock().is_held()
    assert run_paths(tmp_path) == []


def test_broken_off_it_is_gone(tmp_path: Path) -> None:
    with pytest.raises(Stopped), opened(tmp_path, "net_1", NOW, remove):
        raise Stopped(15)
    assert not list((tmp_path / FOLDER).glob("net_1*"))


def test_what_a_kill_left_goes_and_what_is_at_work_or_done_stays(tmp_path: Path) -> None:
    killed, done = (tmp_path / FOLDER / name for name in ("killed", "done"))
    for folder in (killed, done):
        (folder / "source").mkdir(parents=True)
    (done / "verdict.json").write_text("{}")
    removed: list[Path] = []
    with opened(tmp_path, "net_1", NOW, removed.append) as first, opened(tmp_path, "net_1", LATER, remove):
        assert first.path.exists()
    assert removed == [killed / "source"]
    assert not killed.exists()
    assert done.exists()


def test_two_of_one_second_do_not_share_a_folder(tmp_path: Path) -> None:
    with (
        opened(tmp_path, "net_1", NOW, remove),
        pytest.raises(Busy),
        opened(tmp_path, "net_1", NOW, remove),
    ):
        pass
