import random
import stat
import warnings
import zipfile
from pathlib import Path

import pytest

from ctexp.core.errors import DataError
from ctexp.data.intake.archive import unpack


def make(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def with_entry(path: Path, name: str, mode: int = stat.S_IFREG | 0o644, content: bytes = b"x") -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as archive:
        warnings.simplefilter("ignore")  # zipfile warns of names that come twice
        archive.writestr("good.png", b"good")
        entry = zipfile.ZipInfo("placeholder")
        entry.filename = name
        entry.external_attr = mode << 16
        archive.writestr(entry, content)
    return path


def refusal(archive: Path, folder: Path) -> str:
    with pytest.raises(DataError) as failure:
        unpack(archive, folder)
    assert not folder.exists()
    return str(failure.value)


def test_files_are_unpacked_where_their_names_say(tmp_path: Path) -> None:
    archive = make(
        tmp_path / "a.zip", **{"Data/train/l6 (2).png": b"one", "Data/empty/": b"", "b.png": b"two"}
    )
    seen: list[tuple[int, int]] = []

    unpack(archive, tmp_path / "out", lambda done, total: seen.append((done, total)))

    assert (tmp_path / "out" / "Data" / "train" / "l6 (2).png").read_bytes() == b"one"
    assert (tmp_path / "out" / "b.png").read_bytes() == b"two"
    assert (tmp_path / "out" / "Data" / "empty").is_dir()
    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../escaped.png", "'../escaped.png' would land outside"),
        ("train/../../escaped.png", "would land outside"),
        ("/tmp/escaped.png", "would land outside"),
        ("C:/escaped.png", "would land outside"),
        ("train\\..\\escaped.png", "has backslashes in its name"),
        ("train/a.png\0.exe", "is not a file name"),
        (".", "is not a file name"),
        ("x" * 256, "has too long a name"),
        ("x/" * 501, "has too long a name"),
        ("good.png", "'good.png' is in it 2 times"),
    ],
)
def test_hostile_names_are_refused_before_anything_is_written(tmp_path: Path, name: str, why: str) -> None:
    assert why in refusal(with_entry(tmp_path / "a.zip", name), tmp_path / "out")
    assert not list(tmp_path.rglob("escaped*"))


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (stat.S_IFLNK, "is a symbolic link"),
        (stat.S_IFIFO, "is a special file"),
        (stat.S_IFCHR, "is a special file"),
    ],
)
def test_links_and_special_files_are_refused(tmp_path: Path, kind: int, why: str) -> None:
    archive = with_entry(tmp_path / "a.zip", "train/a.png", kind | 0o777, b"/etc/passwd")

    assert f"'train/a.png' {why}" in refusal(archive, tmp_path / "out")


def test_all_objections_are_told_at_once(tmp_path: Path) -> None:
    archive = make(tmp_path / "a.zip", **{"../a.png": b"", "/b.png": b"", "c.png": b""})

    with pytest.raises(DataError) as failure:
        unpack(archive, tmp_path / "out")

    assert len(failure.value.problems) == 2


def test_a_bomb_is_refused_from_its_directory(tmp_path: Path) -> None:
    archive = make(tmp_path / "a.zip", **{"a.png": bytes(20 * 2**20)})

    assert "times its size; at most 50" in refusal(archive, tmp_path / "out")


def test_an_absurd_declared_size_is_refused(tmp_path: Path) -> None:
    archive = make(tmp_path / "a.zip", **{f"{n}.png": b"x" for n in range(20)})
    content = bytearray(archive.read_bytes())
    place = -1
    while (place := content.find(b"PK\x01\x02", place + 1)) >= 0:
        content[place + 24 : place + 28] = (2**32 - 2).to_bytes(4, "little")
    archive.write_bytes(content)

    assert "85,899,345,880 bytes; at most 68,719,476,736" in refusal(archive, tmp_path / "out")


def test_encrypted_and_oddly_compressed_entries_are_refused(tmp_path: Path) -> None:
    archive = make(tmp_path / "a.zip", **{"a.png": b"x", "b.png": b"x"})
    content = bytearray(archive.read_bytes())
    first = content.find(b"PK\x01\x02")
    second = content.find(b"PK\x01\x02", first + 1)
    content[first + 8] |= 1
    content[second + 10] = 14
    archive.write_bytes(content)

    why = refusal(archive, tmp_path / "out")

    assert "'a.png' is encrypted" in why
    assert "'b.png' is compressed by method 14" in why


@pytest.mark.parametrize("names", [("a", "a/b.png"), ("a/b.png", "a")])
def test_a_name_cannot_be_file_and_folder(tmp_path: Path, names: tuple[str, str]) -> None:
    archive = make(tmp_path / "a.zip", **dict.fromkeys(names, b"x"))

    with pytest.raises(DataError, match="is both a file and a folder"):
        unpack(archive, tmp_path / "out")


def test_damage_is_never_anything_but_a_data_error(tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(300)
    sound = make(tmp_path / "sound.zip", **{"train/a.png": noise, "train/b.png": bytes(300)}).read_bytes()
    dice = random.Random(2)
    refused = 0
    for number in range(400):
        content = bytearray(sound)
        for _ in range(dice.choice([1, 2, 8])):
            content[dice.randrange(len(content))] = dice.randrange(256)
        if number % 4 == 0:
            del content[dice.randrange(len(content)) :]
        (tmp_path / "a.zip").write_bytes(content)
        try:
            unpack(tmp_path / "a.zip", tmp_path / f"out{number}")
        except DataError:
            refused += 1
    assert refused > 200
    assert {path.name.rstrip("0123456789") for path in tmp_path.iterdir()} <= {"a.zip", "sound.zip", "out"}
