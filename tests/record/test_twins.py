"""Runs with the same predictions, byte for byte: a setting without effect, or a repetition."""

import sys
import time
from pathlib import Path

from ctexp.config.keys import keys
from ctexp.record import twins
from ctexp.record.run_dir import RunDir
from ctexp.record.twins import Twin
from tests.record import samples

OTHER = "ab" * 32


def run_with(runs: Path, name: str, config: str, sha256: str = samples.HASH) -> RunDir:
    run = samples.begun(RunDir.create(runs, name), name=name)
    run.config.write_text(config)
    samples.finish(run, predictions={"val": sha256})
    return run


def test_a_run_with_the_same_predictions_is_found_with_the_keys_that_differ(tmp_path: Path) -> None:
    first = run_with(tmp_path, "first", "seed: 1\naugment:\n  noise: 0.0\nrun:\n  tags: [a]\n")
    run_with(tmp_path, "elsewhere", "seed: 2\n", OTHER)
    second = run_with(tmp_path, "second", "seed: 1\naugment:\n  noise: 0.5\nrun:\n  tags: [b]\n")
    assert twins.twins(second, "val", samples.HASH) == [Twin(first.id, ("augment.noise",))]
    assert twins.twins(second, "train", samples.HASH) == []
    warning, note = twins.told(twins.twins(second, "val", samples.HASH), "val")
    assert warning == (
        f"predictions of val are byte-identical with those of {first.id}, although augment.noise differs:"
        " something set has no effect"
    )
    assert note == ""


def test_what_may_differ_makes_a_repetition(tmp_path: Path) -> None:
    first = run_with(tmp_path, "first", "trainer:\n  max_epochs: 30\n  precision: auto\ngit:\n  dirty: ask\n")
    second = run_with(tmp_path, "second", "trainer:\n  max_epochs: 40\n  precision: '32'\n")
    assert twins.twins(second, "val", samples.HASH) == [Twin(first.id, ())]
    assert twins.told([Twin(first.id, ())], "val") == ("", f"reproduces {first.id} bit by bit")


def test_of_many_the_newest_is_named() -> None:
    found = [Twin("c", ("seed", "augment.noise")), Twin("b", ()), Twin("a", ("seed",))]
    warning, note = twins.told(found, "val")
    assert "with those of c and 1 more, although seed, augment.noise differ:" in warning
    assert note == "reproduces b bit by bit"


def test_records_that_are_old_damaged_or_unfinished_are_passed_over(tmp_path: Path) -> None:
    samples.run_of(tmp_path, "old")
    samples.begun(RunDir.create(tmp_path, "running"), name="running")
    run_with(tmp_path, "broken", "seed: 1\n").result.write_text(f"{samples.HASH} is no result")
    run_with(tmp_path, "lost", "seed: 1\n").config.unlink()
    run = run_with(tmp_path, "run", "seed: 2\n")
    assert twins.twins(run, "val", samples.HASH) == []


def test_the_keys_that_may_differ_exist() -> None:
    known = set(keys()) | {key.partition(".")[0] for key in keys()}
    assert set(twins.MAY_DIFFER) <= known


def test_a_thousand_runs_are_compared_within_a_second(tmp_path: Path) -> None:
    run = run_with(tmp_path, "run", "seed: 2\n")
    content = run.result.read_bytes().replace(samples.HASH.encode(), OTHER.encode())
    for n in range(1000):
        folder = tmp_path / f"copy_20261122-{n:06d}_aaaaaa"
        folder.mkdir()
        (folder / "result.json").write_bytes(content)
    begin = time.process_time()
    assert twins.twins(run, "val", samples.HASH) == []
    assert time.process_time() - begin < (1 if sys.gettrace() is None else 3)
