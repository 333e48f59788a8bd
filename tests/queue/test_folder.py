from datetime import UTC, datetime
from pathlib import Path

import pytest

from ctexp.core.errors import DataError, StorageError, UsageError
from ctexp.queue.folder import QueueDir, find, queues, sweep_unborn
from tests.full_disk import largest_file

MOMENT = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)


def test_queues_of_one_second_have_names_of_their_own_and_their_order(tmp_path: Path) -> None:
    made = [QueueDir.create(tmp_path, "night", MOMENT) for _ in range(11)]
    assert made[0].id == "night_20261121-220000"
    assert made[10].id == "night_20261121-220000-11"
    assert queues(tmp_path) == made
    assert {queue.plan_name for queue in made} == {"night"}
    assert all(queue.output("a.1").parent.is_dir() and queue.beat("a.1").parent.is_dir() for queue in made)


def test_the_newest_stays_so_when_the_clock_is_set_back(tmp_path: Path) -> None:
    made = [QueueDir.create(tmp_path, "night", MOMENT.replace(hour=hour)) for hour in (22, 3, 4)]
    assert queues(tmp_path) == made
    assert QueueDir.create(tmp_path, "other", MOMENT.replace(hour=3)).id == "other_20261121-030000"


def test_a_queue_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    seen: list[object] = []

    def fill(queue: QueueDir, queue_id: str) -> None:
        seen.append((queues(tmp_path), queue_id))
        queue.plan.write_text("x" * 100)

    with largest_file(10), pytest.raises(StorageError):
        QueueDir.create(tmp_path, "night", MOMENT, fill)
    assert queues(tmp_path) == []
    sweep_unborn(tmp_path, "other")
    assert len(list((tmp_path / "queues").iterdir())) == 1
    sweep_unborn(tmp_path, "night")
    assert list((tmp_path / "queues").iterdir()) == []

    made = QueueDir.create(tmp_path, "night", MOMENT, fill)
    assert seen[-1] == ([], made.id)
    assert made.plan.read_text() == "x" * 100


def test_what_people_type_means_a_queue(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no queues yet"):
        find(tmp_path, "latest")
    old = QueueDir.create(tmp_path, "a", MOMENT)
    new = QueueDir.create(tmp_path, "a", MOMENT.replace(day=22))
    other = QueueDir.create(tmp_path, "ab", MOMENT.replace(day=20))
    assert find(tmp_path, "a") == new
    assert find(tmp_path, "ab") == other
    assert find(tmp_path, "latest") == new
    assert find(tmp_path, old.id) == old
    assert find(tmp_path, "a_20261121") == old
    with pytest.raises(UsageError, match="means"):
        find(tmp_path, "a_2026")
    with pytest.raises(DataError, match="no queue 'b'"):
        find(tmp_path, "b")
    assert queues(tmp_path, "a") == [old, new]
