"""Files that go to a storage and come back: whole, as they were at one moment, and as they were written."""

import hashlib
import itertools
import os
import shutil
from pathlib import Path

import pytest

from ctexp.core import files
from ctexp.core.errors import DataError, PreflightError, StorageError
from ctexp.executors.storage import Index, Kept, Received, Sent, Url, get_bytes, put_bytes
from ctexp.record.checkpoint_files import BEST, SUMS, read_sums, write_sums


@pytest.fixture
def there(tmp_path: Path) -> Path:
    folder = tmp_path / "there"
    folder.mkdir()
    return folder


@pytest.fixture
def place(tmp_path: Path) -> Url:
    return Url((tmp_path / "place").as_uri())


def write(folder: Path, path: str, text: str, moment: int) -> None:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    os.utime(file, ns=(moment, moment))


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()
    }


def test_what_was_written_arrives_in_that_order_and_only_what_is_new_is_sent(
    tmp_path: Path, there: Path, place: Url
) -> None:
    sent, here = Sent(place, "work/a/out", there), tmp_path / "here"
    received = Received(place, "work/a/out", here.joinpath)
    write(there, "runs/r/result.json", "finished", 30)
    write(there, "runs/r/manifest.json", "begun", 10)
    write(there, "runs/r/train.log", "one", 20)
    names = ["runs/r/result.json", "runs/r/manifest.json", "runs/r/train.log"]
    assert sent.send(names) == 3
    assert received.receive() == ["runs/r/manifest.json", "runs/r/train.log", "runs/r/result.json"]
    assert contents(here) == contents(there)
    assert (here / "runs/r/train.log").stat().st_mtime_ns == 20
    assert sent.send(names) == 0
    assert received.receive() == []
    write(there, "runs/r/train.log", "one two", 40)
    assert sent.send(names) == 1
    assert received.receive() == ["runs/r/train.log"]
    assert contents(here) == contents(there)


def test_files_here_stay_as_they_were_while_one_of_those_that_replace_them_cannot_be_had(
    tmp_path: Path, there: Path, place: Url
) -> None:
    sent, here = Sent(place, "work/a/out", there), tmp_path / "here"
    received = Received(place, "work/a/out", here.joinpath)
    for moment, text in enumerate(["old", "newer"]):
        write(there, "a", f"{text} a", moment)
        write(there, "b", f"{text} b", moment + 10)
        sent.send(["a", "b"])
        if text == "old":
            received.receive()
    index = Index.read(tmp_path / "place/work/a/out.json").files
    place.drop(f"work/a/out/{index['b'].sha256}")
    with pytest.raises(DataError, match="missing in the storage"):
        received.receive()
    assert contents(here) == {"a": "old a", "b": "old b"}


@pytest.mark.parametrize("moment", ["while it is copied", "while it is sent"])
def test_a_checkpoint_that_is_replaced_meanwhile_has_its_hash_beside_it(
    moment: str, tmp_path: Path, there: Path, place: Url, monkeypatch: pytest.MonkeyPatch
) -> None:
    epochs = iter([b"first", b"second", b"third", b"fourth", b"fifth", b"sixth"])

    def epoch() -> None:
        if content := next(epochs, None):
            before = read_sums(there)
            after = {BEST: hashlib.sha256(content).hexdigest()}
            write_sums(there, before, after)
            files.write_bytes(there / BEST, content)
            write_sums(there, after)

    epoch()
    where, name = (shutil, "copyfile") if moment == "while it is copied" else (place, "put")
    original = getattr(where, name)

    def interrupted(*words: object) -> None:
        original(*words)
        if next(busy, False):
            epoch()

    busy = iter([True, True])
    monkeypatch.setattr(where, name, interrupted)
    sent, here = Sent(place, "work/a/out", there), tmp_path / "here"
    received = Received(place, "work/a/out", here.joinpath)
    sent.send([BEST, SUMS])
    received.receive()
    assert next(busy, None) is None, "it was replaced while this went on"
    assert read_sums(here) == {BEST: files.sha256_file(here / BEST)}


def test_what_was_sent_stays_where_files_are_replaced_faster_than_they_can_be_copied(
    tmp_path: Path, there: Path, place: Url, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, here = Sent(place, "work/a/out", there), tmp_path / "here"
    write(there, "a", "0", 0)
    write(there, "b", "0", 0)
    sent.send(["a", "b"])
    original, moments = shutil.copyfile, itertools.count(1)

    def copied(source: Path, target: Path) -> None:
        original(source, target)
        moment = next(moments)
        for path in ("a", "b"):
            write(there, path, str(moment), moment)

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "copyfile", copied)
        write(there, "a", "begun", 1)
        with pytest.raises(StorageError, match="replaced faster"):
            sent.send(["a", "b"])
    Received(place, "work/a/out", here.joinpath).receive()
    assert contents(here) == {"a": "0", "b": "0"}
    assert sent.send(["a", "b"]) == 2


def test_a_log_that_grows_all_the_time_is_sent(
    tmp_path: Path, there: Path, place: Url, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, here = Sent(place, "work/a/out", there), tmp_path / "here"
    original = shutil.copyfile

    def copied(source: Path, target: Path) -> None:
        original(source, target)
        with source.open("a") as log:
            log.write("more\n")

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "copyfile", copied)
        write(there, "train.log", "begun\n", 10)
        assert sent.send(["train.log"]) == 1
    received = Received(place, "work/a/out", here.joinpath)
    received.receive()
    assert contents(here) == {"train.log": "begun\n"}
    sent.send(["train.log"])
    received.receive()
    assert contents(here) == {"train.log": "begun\nmore\n"}


def test_what_is_no_more_there_goes_here_too(tmp_path: Path, there: Path, place: Url) -> None:
    sent, here = Sent(place, "work/a/out", there), tmp_path / "here"
    received = Received(place, "work/a/out", here.joinpath)
    write(here, "checkpoints/last.prev.ckpt", "of an earlier attempt", 1)
    write(here, "of nobody else", "stays", 1)
    write(there, "a", "1", 10)
    write(there, "b", "2", 11)
    sent.send(["a", "b"])
    received.receive()
    (there / "a").unlink()
    sent.send(["b"], gone=["checkpoints/last.prev.ckpt"])
    received.receive()
    assert contents(here) == {"b": "2", "of nobody else": "stays"}


def test_files_that_were_replaced_while_they_were_fetched_are_fetched_as_they_are_now(
    tmp_path: Path, there: Path, place: Url
) -> None:
    """The index is read, then its files are replaced there, and then they are asked for."""
    sent, here = Sent(place, "work/a/out", there), tmp_path / "here"
    write(there, "a", "old", 10)
    sent.send(["a"])

    class Slow:
        def put(self, key: str, file: Path) -> None: ...

        def drop(self, key: str) -> None: ...

        def get(self, key: str, file: Path) -> bool:
            if not key.endswith(".json") and (there / "a").read_text() == "old":
                write(there, "a", "new", 20)
                sent.send(["a"])
            return place.get(key, file)

    assert Received(Slow(), "work/a/out", here.joinpath).receive() == ["a"]
    assert contents(here) == {"a": "new"}
    kept = list((tmp_path / "place" / "work" / "a" / "out").iterdir())
    assert len(kept) == 1  # what nobody can ask for any more is not kept


@pytest.mark.parametrize(
    "path", ["../outside", "/etc/outside", "a/../../outside", ".git/hooks/pre-commit", "a\0b"]
)
def test_an_index_that_leads_out_of_the_folder_is_refused(tmp_path: Path, place: Url, path: str) -> None:
    index = Index(files={path: Kept(sha256="0" * 64, size=1, changed=1, mode=0o644)})
    put_bytes(place, "work/a/out.json", index.model_dump_json().encode())
    with pytest.raises(DataError, match="leads elsewhere"):
        Received(place, "work/a/out", (tmp_path / "here").joinpath).receive()


def test_what_was_damaged_in_the_storage_is_not_taken(tmp_path: Path, there: Path, place: Url) -> None:
    write(there, "a", "whole", 10)
    Sent(place, "work/a/out", there).send(["a"])
    for kept in (tmp_path / "place" / "work" / "a" / "out").iterdir():
        kept.write_text("spoilt")
    with pytest.raises(DataError, match="not what was sent"):
        Received(place, "work/a/out", (tmp_path / "here").joinpath).receive()
    assert not list((tmp_path / "here").rglob("a"))


def test_a_place_forgets_what_it_is_told_to(place: Url) -> None:
    put_bytes(place, "work/a/order.json", b"{}")
    put_bytes(place, "data/set.tar", b"tar")
    place.drop("work/a")
    place.drop("work/never")
    assert get_bytes(place, "work/a/order.json") is None
    assert get_bytes(place, "data/set.tar") == b"tar"


def test_a_kind_of_place_that_nobody_knows_is_refused() -> None:
    with pytest.raises(PreflightError, match="nowhere"):
        Url("nowhere://bucket")
