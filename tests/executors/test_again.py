"""What a training is begun with after its node was lost."""

from pathlib import Path

from ctexp.core.errors import DataError
from ctexp.executors.again import Again
from ctexp.executors.protocol import Work
from ctexp.record.manifest import Origin
from ctexp.record.run_dir import RunDir
from tests.record import samples

WORDS = ("inv", "train", "data=phantom")
MINE = {"CTEXP_PLAN": "night", "CTEXP_QUEUE": "night_1", "CTEXP_JOB": "plain-s1"}


def work(words: tuple[str, ...] = WORDS, environment: dict[str, str] = MINE) -> Work:
    trains = words[:2] == ("inv", "train")
    return Work("plain-s1", words, Path("/"), Path("/log"), environment, trains=trains)


def begun(runs: Path, environment: dict[str, str]) -> RunDir:
    run = RunDir.create(runs, "plain")
    samples.manifest(run_id=run.id, origin=Origin.of(environment)).write(run.manifest)
    return run


def test_it_goes_on_with_the_run_that_it_had_begun_itself(tmp_path: Path) -> None:
    begun(tmp_path, MINE)  # by an attempt before
    again = Again(work(), tmp_path)
    assert again.run() is None
    assert again.words() == WORDS
    begun(tmp_path, {**MINE, "CTEXP_JOB": "plain-s2"})
    mine = begun(tmp_path, MINE)
    begun(tmp_path, {})
    assert again.run() == mine
    assert again.words() == ["inv", "train", "--resume", mine.id]


def test_what_refuses_to_be_gone_on_with_is_begun_anew_once(tmp_path: Path) -> None:
    again = Again(work(), tmp_path)
    again.words()
    assert not again.anew(DataError.exit_code)  # its own refusal of its own words
    begun(tmp_path, MINE)
    again.words()
    assert not again.anew(0)
    again.words()
    assert again.anew(DataError.exit_code)
    assert not again.anew(DataError.exit_code)


def test_one_that_goes_on_anyway_and_whatever_is_no_training_have_the_same_words(tmp_path: Path) -> None:
    for words in (("inv", "train", "--resume", "plain_1"), ("inv", "sweep", "--config", "quick")):
        again = Again(work(words), tmp_path)
        begun(tmp_path, MINE)
        assert again.words() == words
    assert Again(work(("inv", "train", "--resume", "plain_1")), tmp_path).run() == RunDir(
        tmp_path / "plain_1"
    )


def test_a_training_of_no_job_cannot_be_told_from_others(tmp_path: Path) -> None:
    again = Again(work(environment={}), tmp_path)
    begun(tmp_path, {})
    assert again.words() == WORDS
