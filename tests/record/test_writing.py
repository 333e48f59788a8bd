import itertools
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ctexp.core.errors import DataError
from ctexp.core.files import sha256_file
from ctexp.record import writing
from ctexp.record.find import run_paths
from ctexp.record.index import list_runs
from ctexp.record.manifest import Attempt
from ctexp.record.result import Result
from ctexp.record.run_dir import RunDir
from ctexp.record.show import describe
from tests.record import replay, samples

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One folder of runs for each beginning of the sequence of writes, the shortest first."""
    folder = tmp_path_factory.mktemp("lives")
    done = subprocess.run(
        [sys.executable, "-m", "tests.record.replay", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [folder / str(n) for n in range(int(done.stdout) + 1)]


def runs_of(lives: list[Path]) -> list[RunDir]:
    return [RunDir.open(path) for life in lives for path in run_paths(life)]


def test_the_state_is_right_wherever_the_power_failed(lives: list[Path]) -> None:
    told = ["".join(run.state for run in list_runs(life)) or "nothing" for life in lives]
    # The first attempt ran out of time, the second one finished.
    assert [state for state, _ in itertools.groupby(told)] == [
        "nothing",
        "interrupted",
        "timeout",
        "interrupted",
        "finished",
    ]
    assert len(lives) > 60


def test_every_beginning_is_a_sound_record(lives: list[Path]) -> None:
    for run in runs_of(lives):
        shown = describe(run)
        if shown.manifest is None:
            assert len(shown.problems) == 1
            assert not shown.attempts
            continue
        assert shown.problems == ()
        assert sha256_file(run.environment) == shown.manifest.environment.packages_sha256
        assert sha256_file(run.git_diff) == shown.manifest.git.patch_sha256
        assert run.config.exists()
        assert run.overrides.exists()


def test_nothing_is_spoken_of_before_it_is_there(lives: list[Path]) -> None:
    for run in runs_of(lives):
        for number in run.attempt_numbers():
            attempt = Attempt.read(run.attempt(number))
            if attempt.git.patch:
                assert (run.path / attempt.git.patch).exists()
        result = run.read().result
        if result:
            assert all((run.path / name).exists() for name in result.artifacts)
            assert run.summary.exists()
            assert Attempt.read(run.attempt(result.attempt)).ended == result.state


def test_the_result_of_an_earlier_attempt_is_kept(lives: list[Path]) -> None:
    resumed = [run for run in runs_of(lives) if 2 in run.attempt_numbers()]
    assert resumed
    assert all(Result.read(run.attempt_result(1)).state == "timeout" for run in resumed)


def test_every_beginning_can_be_resumed_to_its_end(lives: list[Path]) -> None:
    for run in runs_of(lives):
        if run.read().manifest is None:
            continue
        number = writing.next_attempt(run)
        with run.lock():
            writing.resume(run, samples.attempt(run.id, number), b"")
            assert run.state() == "running"
        assert run.state() == "interrupted"
        replay.close(run, number, "finished", 0)
        assert run.state() == "finished"
        assert describe(run).problems == ()
        assert [attempt.number for attempt in describe(run).attempts] == list(range(1, number + 1))


def test_overrides_come_back_as_they_were_typed(tmp_path: Path) -> None:
    typed = [
        "run.description=it's: a #test",
        "+a=[1, 2]",
        "x=ü",
        "n=no",
        "- y",
        'q="' + "long " * 50 + '"',
        "a\nb",
    ]
    run = RunDir.create(tmp_path, "a")
    page, attempt = samples.manifest(run.id), samples.attempt(run.id)
    writing.begin(
        run, config_yaml="", overrides=typed, patch=b"", packages="", manifest=page, attempt=attempt
    )
    assert yaml.safe_load(run.overrides.read_text()) == typed
    assert not run.git_diff.exists()


def test_a_result_of_a_newer_ctexp_is_not_moved_away(tmp_path: Path) -> None:
    run = samples.run_of(tmp_path)
    run.result.write_text('{"schema_version": 2}')
    with pytest.raises(DataError, match="newer ctexp"):
        writing.resume(run, samples.attempt(run.id, 2), b"")
    assert run.result.exists()
    assert run.attempt_numbers() == [1]


def test_a_damaged_result_is_put_aside_and_not_lost(tmp_path: Path) -> None:
    run = samples.run_of(tmp_path)
    run.result.write_bytes(b"\0" * 30)
    writing.resume(run, samples.attempt(run.id, 2), b"")
    assert run.attempt_result(1).read_bytes() == b"\0" * 30
    assert run.state() == "interrupted"
