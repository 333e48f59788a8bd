from typing import Any

from ctexp.data.audit.copies import copy_groups, leaks, patients
from ctexp.data.audit.counts import count
from ctexp.data.audit.gaps import gaps
from ctexp.data.audit.names import names
from ctexp.data.catalog import ImageRow
from ctexp.data.duplicates.find import Pair
from tests.data.rows import row


def image(image_id: str, content: bytes, group: str, **changes: Any) -> ImageRow:
    """A row whose split and class stand in its id: `test/normal/1`."""
    split, class_name, _ = image_id.split("/")
    return row(image_id, content, split=split, class_name=class_name, group=group, **changes)


ROWS = [
    image("test/normal/1", b"a", "A"),  # three of one training image, two files alike, one re-encoded
    image("test/normal/2", b"a", "A"),
    image("test/normal/3", b"other file", "A", pixels=row("", b"a").pixels),
    image("test/normal/4", b"b near", "B"),  # an altered copy
    image("test/normal/5", b"c", "P", meta={"patient": "p1"}),  # another picture of a training patient
    image("test/normal/6", b"d", "D"),
    image("test/normal/7", b"e", "E"),  # a copy of an excluded training image
    image("train/adenocarcinoma/1", b"b", "B"),
    image("train/normal/1", b"a", "A"),
    image("train/normal/2", b"f", "P", meta={"patient": "p1"}),
    image("train/normal/3", b"e", "E", excluded=True),
]
PAIRS = [
    Pair(0, 1, "bytes", 1.0),
    Pair(0, 2, "pixels", 1.0),
    Pair(0, 8, "bytes", 1.0),
    Pair(3, 7, "near", 0.93),
    Pair(6, 10, "bytes", 1.0),
]


def test_groups_tell_their_loosest_likeness_their_splits_and_their_classes() -> None:
    torn, alike = copy_groups(ROWS, PAIRS)
    assert [member.image_id for member in torn.members] == ["test/normal/4", "train/adenocarcinoma/1"]
    assert (torn.kind, torn.similarity, torn.group) == ("near", 0.93, "B")
    assert torn.classes == ("adenocarcinoma", "normal")
    assert torn.splits == ("train", "test")
    assert (alike.kind, alike.similarity, len(alike.members)) == ("pixels", 1.0, 4)
    assert alike.classes == ("normal",)


def test_leaks_are_told_by_how_an_image_belongs_to_training() -> None:
    (found,) = leaks(ROWS, copy_groups(ROWS, PAIRS))
    assert (found.split, found.class_name, found.images) == ("test", "normal", 7)
    assert (found.exact, found.exact_distinct) == (3, 1)
    assert (found.near, found.near_distinct) == (1, 1)
    assert (found.related, found.leaking) == (1, 5)


def test_without_pairs_an_unexplained_group_is_a_likeness() -> None:
    """Files may be gone by now; the catalog still knows that their pictures were alike."""
    (found,) = leaks(ROWS, [])
    assert (found.exact, found.near, found.related) == (3, 1, 1)


def test_a_class_is_rare_by_the_groups_that_training_does_not_touch() -> None:
    rows = [image(f"test/normal/n{number}", bytes([number]), f"g{number}") for number in range(10)]
    assert not [one for one in count(rows).rare if one.class_name == "normal"]
    found = count([*rows, image("train/normal/1", b"x", "g3"), image("test/normal/copy", b"y", "g4")])
    (normal,) = [one for one in found.rare if one.class_name == "normal"]
    assert (normal.split, normal.images, normal.groups, normal.clean) == ("test", 11, 10, 9)
    assert found.images["train"] == {
        "adenocarcinoma": 0,
        "large_cell_carcinoma": 0,
        "squamous_cell_carcinoma": 0,
        "normal": 1,
    }
    assert not [one for one in found.rare if one.split == "val"], "there is no val to be rare in"


def test_patients_on_several_sides_are_named() -> None:
    found = patients(ROWS)
    assert (found.known, found.people) == (2, 1)
    assert found.across == {"p1": ("train", "test")}


def test_what_nobody_knows_is_said() -> None:
    found = gaps(ROWS)
    assert found["patient"].startswith("patient is known of 2 of 10 images")
    assert "fairness" in found["age"]
    known = [image("train/normal/1", b"x", "X", meta=dict.fromkeys(found, "1"))]
    assert gaps(known) == {}


def test_names_that_can_be_mistaken() -> None:
    ids = ["train/normal/a.png", "train/normal/A.png", "test/normal/a.jpg", "test/normal/b.png"]
    ids += ["val/normal/caf\u00e9.png", "val/normal/cafe\u0301.png"]
    found = names(ids)
    assert (found.shared_stems, dict(found.examples)) == (1, {"a": 2})
    assert set(found.alike) == {
        ("train/normal/A.png", "train/normal/a.png"),
        ("val/normal/cafe\u0301.png", "val/normal/caf\u00e9.png"),
    }
