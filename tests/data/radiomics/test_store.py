"""The cache file: what it gives back, and what damage costs."""

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from ctexp.core.errors import Busy, Stopped, StorageError
from ctexp.data.radiomics import store
from ctexp.data.radiomics.store import FeatureStore, Key
from tests.full_disk import largest_file

KEYS: list[Key] = [(f"{number:064x}", window) for number in range(40) for window in ("", "40,400")]


def features(key: Key) -> np.ndarray:
    return np.random.default_rng(KEYS.index(key)).normal(size=50)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    with FeatureStore(tmp_path) as cache:
        for key in KEYS:
            cache.put(key, features(key))
    return cache.file


def found(folder: Path) -> set[Key]:
    with FeatureStore(folder) as cache:
        kept = cache.get(KEYS)
    for key, values in kept.items():
        np.testing.assert_array_equal(values, features(key))
    return set(kept)


def test_what_was_put_is_found_bit_for_bit_and_nothing_else(file: Path) -> None:
    assert found(file.parent) == set(KEYS)
    with FeatureStore(file.parent) as cache:
        assert set(cache.get([KEYS[3], ("f" * 64, "")])) == {KEYS[3]}


def test_what_was_put_before_an_end_is_kept(tmp_path: Path) -> None:
    def stopped() -> None:
        with FeatureStore(tmp_path) as cache:
            cache.put(KEYS[0], features(KEYS[0]))
            raise Stopped(15)

    with pytest.raises(Stopped):
        stopped()

    assert found(tmp_path) == {KEYS[0]}


def test_it_is_on_disk_before_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_COMMIT_SECONDS", 0)
    with FeatureStore(tmp_path) as cache:
        cache.put(KEYS[0], features(KEYS[0]))
        assert found(tmp_path) == {KEYS[0]}


def test_a_row_with_a_flipped_byte_is_as_good_as_none(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        (blob,) = database.execute("SELECT features FROM measured WHERE sha256 = ?", [KEYS[0][0]]).fetchone()
        database.execute(
            "UPDATE measured SET features = ? WHERE (sha256, window) = (?, ?)",
            [blob[:9] + bytes([blob[9] ^ 1]) + blob[10:], *KEYS[0]],
        )

    assert found(file.parent) == set(KEYS) - {KEYS[0]}


@pytest.mark.parametrize("how", ["random bytes", "torn", "a page of zeros"])
def test_a_file_that_cannot_be_read_is_moved_aside(
    file: Path, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content = file.read_bytes()
    damaged = {
        "random bytes": np.random.default_rng(1).bytes(len(content)),
        "torn": content[: len(content) // 2],
        "a page of zeros": content[:4096] + bytes(4096) + content[8192:],
    }[how]
    file.write_bytes(damaged)

    assert found(file.parent) == set()

    assert "damaged, moved to" in capsys.readouterr().err
    assert file.with_suffix(".damaged").read_bytes() == damaged
    with FeatureStore(file.parent) as cache:
        cache.put(KEYS[5], features(KEYS[5]))
    assert found(file.parent) == {KEYS[5]}


def test_an_empty_file_is_a_new_one(file: Path) -> None:
    file.write_bytes(b"")

    assert found(file.parent) == set()


def test_a_full_disk_is_said_and_costs_nothing_that_was_there(file: Path) -> None:
    def fill() -> None:
        with largest_file(file.stat().st_size + 8192), FeatureStore(file.parent) as cache:
            for number in range(1000):
                cache.put((f"{number:064x}", "full"), np.zeros(50))

    with pytest.raises(StorageError, match=r"cannot write cache-"):
        fill()

    assert found(file.parent) == set(KEYS)


def test_a_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "features").write_text("")

    with pytest.raises(StorageError, match="in the way"):
        FeatureStore(tmp_path / "features")


def test_a_lock_held_for_too_long_is_said(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_WAIT_SECONDS", 0.05)
    with closing(sqlite3.connect(file)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Busy, match="locked by another process"):
            FeatureStore(file.parent)
