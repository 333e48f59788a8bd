"""The page and its folder: nothing from outside, nothing unescaped, all or nothing on the disk."""

import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from ctexp.core.errors import StorageError
from ctexp.evaluation.mistakes.document import Explanation, Mistakes, Picture, mistakes
from ctexp.evaluation.mistakes.folder import folder_of, write
from ctexp.evaluation.mistakes.page import render, share
from tests.evaluation.conftest import draw
from tests.evaluation.mistakes.tables import answers, cases, rows

HOSTILE = "val/normal/<script>alert('1')</script>&\"b.png"
JPEG = b"\xff\xd8\xff\xe0not a whole picture"


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@cache
def found(*, suspicious: bool = False, seeds: int = 2) -> tuple[Mistakes, dict[str, bytes]]:
    """A document with everything in it, and its pictures."""
    table = draw(120, 0.5, 1)
    table = replace(table, image_id=(HOSTILE, *table.image_id[1:]))
    table.logits[0] = 0
    table.logits[0, (table.label[0] + 1) % 4] = 20
    known = rows(cases(table), lambda place: {"meta": {"sex": "FM"[place % 2], "age": str(40 + place % 50)}})
    tables = [table, replace(table, logits=np.roll(table.logits, 1, axis=1))][:seeds]
    document = mistakes(answers(*tables), known, "drawn (synthetic)")[0]
    gallery = tuple(
        Picture(
            judged=one,
            run="run_1",
            picture=f"{number}.jpg",
            overlay=f"{number}_map.jpg" if number else "",
            outside=0.5 if number else None,
            area_outside=0.25 if number else None,
            looks_away=bool(number),
            facts={"mode": "L"},
        )
        for number, one in enumerate(document.confident[:3])
    )
    explanation = Explanation(
        method="Grad-CAM",
        layers={"run_1": "features, 3 x 3"},
        images=3,
        empty=1,
        sanity=0.9 if suspicious else 0.1,
        threshold=0.5,
        suspicious=suspicious,
        compared=5,
        of=9,
        outside=0.5,
        area_outside=0.25,
        looks_away=True,
    )
    pictures = {name: JPEG for one in gallery for name in (one.picture, one.overlay) if name}
    return document.model_copy(update={"gallery": gallery, "explanation": explanation}), pictures


def test_everything_is_in_the_page_and_nothing_comes_from_outside() -> None:
    page = render(*found())
    tags = Tags()
    tags.feed(page)

    images = [its for tag, its in tags.found if tag == "img"]
    assert len(images) == 5
    assert all((its["src"] or "").startswith("data:image/jpeg;base64,") for its in images)
    assert all(its["alt"] for its in images)
    assert not {"script", "link", "iframe"} & {tag for tag, _ in tags.found}
    assert not re.search(r"https?://|url\(|@import", page)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_tables_that_may_be_wider_than_a_phone_can_be_reached_by_keyboard() -> None:
    tags = Tags()
    tags.feed(render(*found()))
    wide = [its for _, its in tags.found if its.get("class") == "wide"]

    assert len(wide) == sum(tag == "table" for tag, _ in tags.found) > 4
    assert all(its["tabindex"] == "0" and its["role"] == "region" and its["aria-label"] for its in wide)


def test_maps_that_mean_nothing_are_said_to() -> None:
    assert "hardly depend on what was learned" not in render(*found())
    assert "hardly depend on what was learned" in render(*found(suspicious=True))


def test_without_maps_people_seeds_or_errors_it_is_a_page_all_the_same() -> None:
    table = draw(30, 0.0)
    right = replace(table, logits=9 * np.eye(4, dtype=np.float32)[table.label])
    page = render(mistakes(answers(right), (), "drawn")[0], {})

    assert "No image is called wrong" in page
    assert "whether the model treats groups of them alike cannot be assessed" in page
    assert "One seed" in page
    assert "Grad-CAM" not in page
    render(mistakes(answers(draw(1, 0.0)), (), "drawn")[0], {})


def test_shares_are_told_in_percent() -> None:
    document, _ = found()

    assert re.fullmatch(r"\d+ % \(\d+ to \d+\)", share(document.accuracy))
    assert share(document.accuracy.model_copy(update={"value": None})) == "none"


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "name", "val")
    document, pictures = found()
    write(folder, document, pictures)
    assert {path.name for path in folder.iterdir()} == {"errors.json", "errors.html", *pictures}

    write(folder, document.model_copy(update={"gallery": (), "explanation": None}), {})

    assert {path.name for path in folder.iterdir()} == {"errors.json", "errors.html"}
    assert [path.name for path in folder.parent.iterdir() if path.name.endswith(".tmp")] == []


def test_what_a_killed_writer_left_is_swept(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "name", "val")
    leftover = folder.parent / ".name_val.abc.tmp" / "new"
    leftover.mkdir(parents=True)
    write(folder, *found())

    assert not leftover.exists()
    assert (folder / "errors.json").is_file()


def test_a_writer_that_fails_leaves_the_old_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folder_of(tmp_path, "name", "val")
    document, pictures = found()
    write(folder, document, pictures)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def full(self: Path, _content: bytes) -> int:
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageError):
        write(folder, document.model_copy(update={"title": "other"}), pictures)
    monkeypatch.undo()

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert list(folder.parent.glob(".*.tmp")) == []
