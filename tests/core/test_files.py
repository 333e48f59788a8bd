"""A file is old or new, never neither; a full or read-only disk is told apart from a bug."""

import errno
import json
import multiprocessing
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ctexp.core import files, yaml_file
from ctexp.core.errors import DataError, PreflightError, StorageError, UsageError
from ctexp.core.locks import FileLock
from tests.full_disk import largest_file


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.json"
    files.write_json(path, {"a": 1})
    files.write_json(path, {"a": [2, "ü"]})
    assert files.read_json(path) == {"a": [2, "ü"]}
    assert path.read_text() == '{\n  "a": [\n    2,\n    "ü"\n  ]\n}\n', "for people and for diff"
    assert [entry.name for entry in path.parent.iterdir()] == ["a.json"]


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    files.write_text(path, "old")

    def interrupted() -> None:
        with files.replacing(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


def test_a_full_disk_leaves_the_old_file_and_says_where(tmp_path: Path) -> None:
    path = tmp_path / "a"
    files.write_text(path, "old")
    with largest_file(1000), pytest.raises(StorageError, match="no space left while writing a"):
        files.write_bytes(path, bytes(5000))
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


def test_files_get_the_permissions_of_any_other_file(tmp_path: Path) -> None:
    before = os.umask(0o026)
    try:
        files.write_text(tmp_path / "a", "x")
    finally:
        assert os.umask(before) == 0o026
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_a_file_and_its_name_are_on_the_disk_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
    )
    before = len(list(Path("/proc/self/fd").iterdir()))
    files.write_text(tmp_path / "a", "x")
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    temporary, folder = synced
    assert (temporary.parent, folder) == (tmp_path, tmp_path)
    assert temporary.name.startswith(".a.")


def test_an_error_after_the_rename_is_told_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(files, "fsync_directory", broken)
    with pytest.raises(OSError, match="Input/output error"):
        files.write_text(tmp_path / "a", "x")


def test_what_killed_writers_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    for name in (".a.json.x1.tmp", "below/.b.y2.tmp", "below/.hidden", "c.tmp", "a.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    files.sweep_temporaries(tmp_path)
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert left == ["a.json", "below/.hidden", "c.tmp"]


def test_a_full_disk_is_known_wherever_it_was_met() -> None:
    named = files.disk_full(OSError(errno.ENOSPC, "No space left on device", "/runs/a"))
    assert str(named).startswith("/runs/a: no space left")
    assert str(files.disk_full(OSError(errno.EDQUOT, "Quota"))).startswith("a disk: no space left (Quota)")
    assert files.disk_full(OSError(errno.EIO, "Input/output error")) is None
    assert files.disk_full(ValueError("no space left")) is None


def test_json_has_no_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(tmp_path / "a", {"loss": float("nan")})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_damaged_json_is_a_data_error_that_names_the_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.json"):
        files.read_json(tmp_path / "a.json")


def _append(path: str, worker: int) -> None:
    for number in range(200):
        files.append_line(Path(path), json.dumps({"worker": worker, "number": number}))


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(OSError, match="not a regular file"):
            files.read_regular(path)
    with pytest.raises(DataError, match="not a regular file"):
        files.read_json(tmp_path / "pipe")
    with pytest.raises(UsageError, match="not a regular file"):
        yaml_file.read_mapping(tmp_path / "pipe")
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(OSError, match=r"1,000,000,000,000 bytes; at most 9 are read"):
        files.read_regular(large, 9)
    (tmp_path / "nine").write_bytes(b"123456789")
    assert files.read_regular(tmp_path / "nine", 9) == b"123456789"


def test_lines_of_several_writers_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_append, args=(str(path), worker)) for worker in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(lines) == 600
    for worker in range(3):
        assert [line["number"] for line in lines if line["worker"] == worker] == list(range(200))


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_a_read_only_folder_is_refused_beforehand() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        child = os.fork()
        if child == 0:
            os.setuid(65534)
            try:
                files.probe_writable(Path(folder))
            except PreflightError as error:
                os._exit(error.exit_code if "cannot write" in str(error) else 99)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 4


def test_one_thing_in_anothers_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nowhere/at/all")
    writes: list[Callable[[], object]] = [
        lambda: files.write_text(tmp_path / "folder", "text"),
        lambda: files.append_line(tmp_path / "folder", "line"),
        lambda: files.write_text(tmp_path / "file" / "below", "text"),
        lambda: files.make_folder(tmp_path / "link"),
        lambda: FileLock(tmp_path / "folder", "it").acquire(),
        lambda: FileLock(tmp_path / "file" / "lock", "it").acquire(),
    ]
    for write in writes:
        with pytest.raises(StorageError, match="in the way"):
            write()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder", "link"]


def test_a_file_in_a_folders_place_is_refused_beforehand(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(PreflightError, match="a file is in the way"):
        files.probe_writable(tmp_path / "runs")
