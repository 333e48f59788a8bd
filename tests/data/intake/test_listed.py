from pathlib import Path

import pytest

from ctexp.core.errors import DataError
from ctexp.data.intake.layout import scan
from ctexp.data.intake.listed import MAX_BYTES, ImageNames, Mention, read_mentions
from tests.kaggle import SHORT_NAMES


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    for split in ("train", "valid"):
        for name in SHORT_NAMES.values():
            for file in (f"{split} {name} (1).png", "a.png"):
                path = folder / "Data" / split / name / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
    return folder


def names(folder: Path, source: Path | None = None) -> ImageNames:
    return ImageNames(scan(folder).images, folder, source or folder)


def test_an_image_is_found_by_its_id_or_the_end_of_its_path(source: Path) -> None:
    finder = names(source)

    for text in (
        "val/normal/a.png",
        "valid/normal/a.png",
        "Data/valid/normal/a.png",
        "./Data/valid/normal/a.png",
        "archive/Data/valid/normal/a.png",
        r"Data\valid\normal\a.png",
        str(source / "Data" / "valid" / "normal" / "a.png"),
    ):
        assert finder.find(Mention(text, "t:1")).image_id == "val/normal/a.png", text
    assert finder.find(Mention("valid normal (1).png", "t:1")).image_id == "val/normal/valid normal (1).png"


def test_in_a_zip_paths_are_those_inside_it(source: Path, tmp_path: Path) -> None:
    zipped = tmp_path / "chest.zip"
    zipped.touch()
    finder = names(source, zipped)

    for text in ("Data/valid/normal/a.png", "chest/Data/valid/normal/a.png"):
        assert finder.find(Mention(text, "t:1")).image_id == "val/normal/a.png"
    with pytest.raises(DataError, match="no image is called 'archive/"):
        finder.find(Mention("archive/Data/valid/normal/a.png", "t:1"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "a.png",
            "skip.txt:7: 'a.png' may be train/adenocarcinoma/a.png, train/large.cell.carcinoma/a.png, "
            "train/normal/a.png and 5 more",
        ),
        ("normal/a.png", "skip.txt:7: 'normal/a.png' may be train/normal/a.png, val/normal/a.png"),
        ("b.png", "skip.txt:7: no image is called 'b.png'"),
        ("ormal/a.png", "skip.txt:7: no image is called 'ormal/a.png'"),
        ("A.png", "skip.txt:7: no image is called 'A.png'"),
        ("normal", "skip.txt:7: no image is called 'normal'"),
        ("/", "skip.txt:7: no image is called '/'"),
        ("", "skip.txt:7: no image is called ''"),
    ],
)
def test_what_names_no_image_or_several_is_told(source: Path, text: str, says: str) -> None:
    with pytest.raises(DataError) as failure:
        names(source).find(Mention(text, "skip.txt:7"))
    assert failure.value.problems == (says,)


def test_a_list_has_a_name_a_line_and_comments(source: Path, tmp_path: Path) -> None:
    file = tmp_path / "skip.txt"
    file.write_bytes("\ufeff# seen by me\r\n\r\n  val/normal/a.png \r\nnowhere.png\r\n#x\r\na.png".encode())

    mentions = read_mentions(file)
    found, problems = names(source).find_all(mentions)

    assert mentions[1:3] == [
        Mention("  val/normal/a.png ", "skip.txt:3"),
        Mention("nowhere.png", "skip.txt:4"),
    ]
    assert [image.image_id for image in found] == ["val/normal/a.png"]
    assert [problem.split(":")[1] for problem in problems] == ["4", "6"]


def test_a_name_may_begin_with_a_blank_or_look_like_a_comment(source: Path, tmp_path: Path) -> None:
    odd = (" a.png", "#1.png")
    for name in odd:
        (source / "Data" / "valid" / "normal" / name).touch()
    file = tmp_path / "skip.txt"
    file.write_text("# a.png\nnormal/ a.png\n a.png\n#1.png\n#2.png\n")

    found, problems = names(source).find_all(read_mentions(file))

    assert [image.image_id for image in found] == [f"val/normal/{odd[place]}" for place in (0, 0, 1)]
    assert problems == []


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "list"
    with pytest.raises(DataError, match="no such file"):
        read_mentions(file)
    with pytest.raises(DataError, match="is a directory"):
        read_mentions(tmp_path)
    file.write_bytes("Größe".encode("latin-1"))
    with pytest.raises(DataError, match=r"not UTF-8 text \(byte 2\)"):
        read_mentions(file)
    file.write_bytes(b"a\0b")
    with pytest.raises(DataError, match="not a text file"):
        read_mentions(file)
    with file.open("wb") as sparse:
        sparse.truncate(MAX_BYTES + 1)
    with pytest.raises(DataError, match="50,000,001 bytes"):
        read_mentions(file)
