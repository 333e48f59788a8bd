"""An index follows the directories, and reads only those that changed."""

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ctexp.core import files
from ctexp.core.locks import FileLock
from ctexp.record import writing
from ctexp.record.index import Index, Query, RunSummary, list_runs, refresh, summarise
from ctexp.record.result import Measurement
from ctexp.record.run_dir import RunDir
from tests.record import samples
from tests.record.index import anew


@pytest.fixture
def settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Without the two seconds in which a directory is read again; instead, wait for the clock's next tick."""
    monkeypatch.setattr(refresh, "_TICK_NS", 0)
    probe = tmp_path / "probe"

    def wait() -> None:
        before = probe.stat().st_ctime_ns if probe.exists() else 0
        while True:
            probe.touch()
            if probe.stat().st_ctime_ns > before + 1_000_000:
                break
            time.sleep(0.001)
        time.sleep(0.005)

    return wait


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs that were read, in order."""
    ids: list[str] = []

    def spy(run: RunDir) -> RunSummary:
        ids.append(run.id)
        return summarise(run)

    monkeypatch.setattr(refresh, "summarise", spy)
    return ids


def agreed(runs: Path) -> list[RunSummary]:
    found = list_runs(runs)
    assert found == anew.runs_of(runs)
    return found


def test_only_what_changed_is_read(tmp_path: Path, settled: Callable[[], None], read: list[str]) -> None:
    runs = tmp_path / "runs"
    first, second, third = (samples.run_of(runs, name) for name in ("a", "b", "c"))
    settled()
    agreed(runs)
    assert sorted(read) == sorted([first.id, second.id, third.id])
    read.clear()

    agreed(runs)
    assert read == []

    samples.result(second.id, metrics={"val/accuracy": Measurement(value=0.5)}).write(second.result)
    fourth = samples.run_of(runs, "d")
    settled()
    found = {run.id: run for run in agreed(runs)}
    assert found[second.id].metrics == {"val/accuracy": 0.5}
    assert sorted(read) == sorted([second.id, fourth.id])
    read.clear()

    first.path.rename(runs / "renamed")
    for path in (third.manifest, third.result):
        path.unlink()
    settled()
    assert {run.id for run in agreed(runs)} == {"renamed", second.id, third.id, fourth.id}
    assert sorted(read) == sorted(["renamed", third.id])


def test_a_run_whose_place_another_takes_is_read(tmp_path: Path, settled: Callable[[], None]) -> None:
    runs = tmp_path / "runs"
    one, other = samples.run_of(runs, "a", seed=1), samples.run_of(runs, "a", seed=2)
    settled()
    agreed(runs)
    aside = runs.parent / "aside"
    one.path.rename(aside)
    other.path.rename(one.path)
    aside.rename(other.path)
    settled()
    assert {run.id: run.seed for run in agreed(runs)} == {one.id: 2, other.id: 1}


def test_what_has_just_changed_is_read_again(tmp_path: Path, read: list[str]) -> None:
    """A second change within one tick of the filesystem's clock leaves the directory's time as it is."""
    run = samples.run_of(tmp_path)
    agreed(tmp_path)
    agreed(tmp_path)
    assert read == [run.id, run.id]


def test_a_run_s_state_follows_its_lock(tmp_path: Path, settled: Callable[[], None], read: list[str]) -> None:
    runs = tmp_path / "runs"
    run = samples.begun(RunDir.create(runs, "a"))
    with run.lock():
        settled()
        assert [found.state for found in agreed(runs)] == ["running"]
        assert [found.state for found in agreed(runs)] == ["running"]
    assert read == [run.id], "as long as its state is the same, its documents are not read again"
    assert [found.state for found in agreed(runs)] == ["interrupted"]
    with run.lock():
        assert [found.state for found in agreed(runs)] == ["running"]
        samples.finish(run)
        settled()
        assert [found.state for found in agreed(runs)] == ["finished"]
    read.clear()
    assert [found.state for found in agreed(runs)] == ["finished"]
    assert read == []


def test_a_record_with_a_problem_is_read_again(tmp_path: Path, settled: Callable[[], None]) -> None:
    """What hindered its reader, an outage for example, may have passed without a trace in the directory."""
    runs = tmp_path / "runs"
    run = samples.run_of(runs)
    sound = run.result.read_bytes()
    run.result.write_bytes(sound[:100])
    settled()
    assert agreed(runs)[0].problem is not None
    run.result.write_bytes(sound)
    assert agreed(runs)[0].problem is None


def test_linked_runs_are_listed_as_lists_of_runs_do(tmp_path: Path, settled: Callable[[], None]) -> None:
    runs, elsewhere = tmp_path / "runs", tmp_path / "elsewhere"
    own, far, farther = samples.run_of(runs), samples.run_of(elsewhere), samples.run_of(elsewhere, seed=7)
    (runs / "again").symlink_to(own.path)
    (runs / "linked").symlink_to(far.path)
    (runs / "broken").symlink_to(tmp_path / "nowhere")
    settled()
    assert {run.id for run in agreed(runs)} == {own.id, "linked"}
    (runs / "linked").unlink()
    (runs / "linked").symlink_to(farther.path)
    settled()
    assert {run.id: run.seed for run in agreed(runs)} == {own.id: 42, "linked": 7}
    farther.path.rename(tmp_path / "nowhere")
    assert {run.id for run in agreed(runs)} == {own.id, "broken"}


def test_an_open_index_is_refreshed_when_asked(tmp_path: Path) -> None:
    samples.run_of(tmp_path)
    with Index(tmp_path) as index:
        run = samples.run_of(tmp_path)
        assert index.count(Query()) == 1
        index.refresh()
        assert run.id in {found.id for found in index.select(Query())}


@pytest.mark.parametrize("seed", range(2))
def test_after_any_changes_the_answers_are_those_of_the_directories(
    tmp_path: Path, seed: int, settled: Callable[[], None]
) -> None:
    dice, runs, held = random.Random(seed), tmp_path / "runs", list[FileLock]()

    def a_run() -> RunDir:
        return RunDir(dice.choice(sorted(path for path in runs.iterdir() if path.is_dir())))

    def create() -> None:
        samples.begun(RunDir.create(runs, dice.choice("abc")), seed=dice.randrange(5))

    def end() -> None:
        accuracy = Measurement(value=dice.choice([0.5, 0.6, None]))
        run = a_run()
        numbers = run.attempt_numbers() or [1]
        samples.finish(run, attempt=numbers[-1], metrics={"val/accuracy": accuracy})

    def resume() -> None:
        run = a_run()
        writing.resume(run, samples.attempt(run.id, writing.next_attempt(run)), b"")

    def damage() -> None:
        run = a_run()
        files.write_bytes(dice.choice([run.manifest, run.result]), b"\0" * dice.randrange(50))

    def lose() -> None:
        run = a_run()
        dice.choice([run.manifest, run.result]).unlink(missing_ok=True)

    def rename() -> None:
        path = a_run().path
        path.rename(path.with_name(f"{path.name[:-2]}{dice.randrange(10, 100)}"))

    def hold() -> None:
        lock = a_run().lock()
        if not lock.is_held():
            lock.acquire()
            held.append(lock)

    def release() -> None:
        while held:
            held.pop().release()

    create()
    for _ in range(40):
        dice.choice([create, create, end, end, end, resume, damage, lose, rename, hold])()
        if dice.random() < 0.5:
            release()
        settled()
        every = anew.runs_of(runs)
        queries = [
            Query(),
            Query(sort="val/accuracy", descending=True, limit=3, states=["finished"]),
            Query(where={"name": "a"}, sort="total_seconds"),
        ]
        with Index(runs) as index:
            for query in queries:
                if query.sort == "val/accuracy" and not any("val/accuracy" in run.metrics for run in every):
                    continue
                assert index.select(query) == anew.answer(every, query)
    release()
