"""`research/LOG.md`: each night once, the newest last, and nothing of what people wrote is lost."""

import fcntl
import os
import threading
from pathlib import Path

import pytest

from ctexp.core.errors import Busy, DataError
from ctexp.queue.morning import log

ONE, TWO = "a_20261121-220000", "b_20261122-220000"


def read(root: Path) -> str:
    return (root / log.FILE).read_text()


def test_nights_are_added_and_the_same_one_is_replaced(tmp_path: Path) -> None:
    log.write(tmp_path, ONE, "# `a`\n\nfirst\n")
    log.write(tmp_path, TWO, "# `b`\n\nsecond\n")
    log.write(tmp_path, ONE, "# `a`\n\nfirst, gone on with\n\n## Part\n")
    text = read(tmp_path)
    assert text.startswith("# Log\n")
    assert text.count(f"<!-- begin of {ONE} -->") == text.count(f"<!-- end of {ONE} -->") == 1
    assert text.index("second") < text.index("first, gone on with")  # the newest last
    assert "first\n" not in text
    assert "\n## `a`\n" in text  # one night of many
    assert "\n### Part\n" in text
    again = text
    log.write(tmp_path, ONE, "# `a`\n\nfirst, gone on with\n\n## Part\n")
    assert read(tmp_path) == again


@pytest.mark.parametrize("theirs", [b"# Mine\r\n\r\nnotes \xff\xfe\r\n", b"no newline at the end", b""])
def test_what_people_have_written_stays(tmp_path: Path, theirs: bytes) -> None:
    path = tmp_path / log.FILE
    path.parent.mkdir()
    path.write_bytes(theirs)
    log.write(tmp_path, ONE, "first\n")
    path.write_bytes(path.read_bytes() + b"\nthoughts about it\n")
    log.write(tmp_path, TWO, "second\n")
    log.write(tmp_path, ONE, "first again\n")
    content = path.read_bytes()
    assert content.startswith(theirs.rstrip())
    assert b"thoughts about it" in content
    assert content.index(b"second") < content.index(b"first again")


def test_marks_with_another_end_of_line_are_known(tmp_path: Path) -> None:
    log.write(tmp_path, ONE, "first\n")
    path = tmp_path / log.FILE
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    log.write(tmp_path, ONE, "first again\n")
    assert path.read_bytes().count(b"<!-- begin of") == 1


def test_a_mark_whose_end_somebody_removed_swallows_nothing(tmp_path: Path) -> None:
    log.write(tmp_path, ONE, "first\n")
    path = tmp_path / log.FILE
    path.write_text(read(tmp_path).replace(f"<!-- end of {ONE} -->", "") + "precious\n")
    log.write(tmp_path, TWO, "second\n")
    log.write(tmp_path, TWO, "second again\n")
    for page in ("first again\n", "first once more\n"):
        log.write(tmp_path, ONE, page)
    assert "precious" in read(tmp_path)
    assert "second again" in read(tmp_path)
    assert "first again" not in read(tmp_path)


def test_two_queues_that_end_at_once_are_both_told(tmp_path: Path) -> None:
    ids = [f"q{n}_20261121-220000" for n in range(8)]
    writers = [threading.Thread(target=log.write, args=(tmp_path, one, f"of {one}\n")) for one in ids]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert all(read(tmp_path).count(f"\nof {one}\n") == 1 for one in ids)


def test_a_log_that_stays_locked_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log.write(tmp_path, ONE, "first\n")
    before = read(tmp_path)
    monkeypatch.setattr(log, "_PATIENCE", 0.1)
    descriptor = os.open(tmp_path / "research" / ".LOG.lock", os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(Busy, match="the log is in use"):
        log.write(tmp_path, TWO, "second\n")
    os.close(descriptor)
    assert read(tmp_path) == before


def test_a_log_that_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / log.FILE).mkdir(parents=True)
    with pytest.raises(DataError, match="cannot be read"):
        log.write(tmp_path, ONE, "first\n")


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "research").mkdir()
    (tmp_path / "elsewhere.md").write_text("mine\n")
    (tmp_path / log.FILE).symlink_to("../elsewhere.md")
    log.write(tmp_path, ONE, "first\n")
    assert (tmp_path / log.FILE).is_symlink()
    assert "first" in (tmp_path / "elsewhere.md").read_text()
