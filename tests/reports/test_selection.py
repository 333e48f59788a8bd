"""Which runs a page is about."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ctexp.core.errors import DataError, UsageError
from ctexp.record.manifest import Origin
from ctexp.reports.selection import Selection, select
from tests import judged

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)  # seven hours after the runs of `tests.judged` began


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seeds of `net` and one `other` of queue night, one `single`, a wreck, and a cross-validation."""
    runs = tmp_path_factory.mktemp("project") / "runs"
    night = Origin(queue="night")
    judged.a_run(runs, "net", 1, origin=night)
    judged.a_run(runs, "net", 2, origin=night)
    judged.a_run(runs, "other", 1, overrides=("data.batch_size=8",), origin=night)
    judged.a_run(runs, "single", 1, state="diverged", origin=night)
    judged.a_cross_validation(runs, "cv")
    wreck = judged.a_run(runs, "wreck", 1)
    wreck.manifest.write_text("{")
    return runs


def names(found: Selection) -> list[tuple[str, str, int]]:
    return [(one.title.split("_")[0], one.kind, len(one.runs)) for one in found.subjects]


def test_a_queue_is_its_runs_seeds_of_one_configuration_together(runs: Path) -> None:
    found = select(runs, (), "night", None, now=NOW)
    assert sorted(names(found)) == [("net", "name", 2), ("other", "name", 1)]
    assert any("diverged, left out" in note for note in found.notes)


def test_since_takes_all_and_names_what_cannot_be_read(runs: Path) -> None:
    found = select(runs, (), None, "8h", now=NOW)
    assert sorted(names(found)) == [("cv", "cross-validation", 2), ("net", "name", 2), ("other", "name", 1)]
    assert any(note.startswith("wreck_") and "unreadable" in note for note in found.notes)


def test_without_a_word_it_is_the_runs_since_yesterday_and_else_the_latest(runs: Path) -> None:
    assert len(select(runs, (), None, None, now=NOW).subjects) == 3
    later = select(runs, (), None, None, now=datetime(2026, 12, 24, tzinfo=UTC))
    assert len(later.subjects) == 1
    assert later.asked == "the latest run; there is none since yesterday"


def test_nothing_found_says_what_there_is(runs: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        select(runs, (), "day", None, now=NOW)
    assert "queues: night" in "\n".join(error.value.problems)
    with pytest.raises(DataError, match="no run that was judged"):
        select(runs, (), None, "1h", now=NOW)
    with pytest.raises(DataError, match="no runs yet"):
        select(tmp_path, (), None, None, now=NOW)


def test_a_run_named_twice_under_two_words_stands_on_the_page_once(runs: Path) -> None:
    (other,) = runs.glob("other_*")
    assert len(select(runs, (other.name, str(other)), None, None, now=NOW).subjects) == 1


def test_a_named_run_that_was_killed_is_left_out_and_told_how_to_finish(tmp_path: Path) -> None:
    judged.a_run(tmp_path, "net", 1)
    killed = judged.a_run(tmp_path, "killed", 1, state="interrupted")
    for word in ("killed", killed.id):
        found = select(tmp_path, ("net", word), None, None, now=NOW)
        assert [one.title for one in found.subjects] == ["net"]
        (line,) = found.unfinished
        assert f"{killed.id}: interrupted" in line
        assert line.endswith(f"scripts/inv train --resume {killed.id}")
        with pytest.raises(DataError) as error:
            select(tmp_path, (word,), None, None, now=NOW)
        assert error.value.hint.endswith(f"scripts/inv train --resume {killed.id}")
        assert error.value.kind == "DataError"
    with pytest.raises(DataError, match="nowhere"):
        select(tmp_path, ("net", "nowhere"), None, None, now=NOW)


def test_runs_are_chosen_one_way(runs: Path) -> None:
    with pytest.raises(UsageError, match="--runs beside --queue or --since"):
        select(runs, ("net",), "night", None, now=NOW)


def test_seeds_that_differ_by_more_than_their_seed_stand_alone(tmp_path: Path) -> None:
    judged.a_run(tmp_path, "net", 1)
    judged.a_run(tmp_path, "net", 2, overrides=("optimizer.lr=0.5",))
    found = select(tmp_path, (), None, "8h", now=NOW)
    assert [one.kind for one in found.subjects] == ["run", "run"]


def test_a_shortened_seed_stands_alone_beside_the_others(tmp_path: Path) -> None:
    for seed in (1, 2):
        judged.a_run(tmp_path, "net", seed)
    judged.a_run(tmp_path, "net", 3, state="timeout", overrides=("trainer.max_minutes=3",))
    assert sorted(names(select(tmp_path, (), None, "8h", now=NOW))) == [("net", "name", 2), ("net", "run", 1)]
