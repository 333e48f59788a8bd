"""Files that go to a storage and come back: whole, as they were at one moment, and as they were written."""

import os
from pathlib import Path

import pytest

from ctexp.core.errors import DataError, PreflightError
from ctexp.executors.storage import Index, Kept, Received, Sent, Url, get_bytes, put_bytes


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


def test_a_file_here_stays_as_it_was_while_what_replaces_it_cannot_be_had(
    tmp_path: Path, there: Path, place: Url
) -> None:
    sent, here = Sent(place, "work/a/out", there), tmp_path / "here"
    received = Received(place, "work/a/out", here.joinpath)
    for text in ("old", "newer"):
        write(there, "a", text, len(text))
        sent.send(["a"])
        if text == "old":
            received.receive()
    (index,) = Index.read(tmp_path / "place/work/a/out.json").files.values()
    place.drop(f"work/a/out/{index.sha256}")
    with pytest.raises(DataError, match="missing in the storage"):
        received.receive()
    assert contents(here) == {"a": "old"}


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
