from collections.abc import Sequence

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from ctexp.core.classes import CLASSES
from ctexp.core.files import sha256_bytes
from ctexp.data.duplicates.find import Pair, find_pairs
from ctexp.data.duplicates.signature import sign
from ctexp.data.phantom.image import draw
from tests.near_copies import COMBINATIONS, WAYS, altered

Grey = NDArray[np.uint8]


def pairs_of(pictures: Sequence[Grey]) -> list[Pair]:
    """The pairs of pictures that are all in different files."""
    names = [repr(picture.shape).encode() + picture.tobytes() for picture in pictures]
    signatures = [sign(picture, sha256_bytes(name)) for picture, name in zip(pictures, names, strict=True)]
    return find_pairs([f"{place:064x}" for place in range(len(pictures))], signatures)


def places(pairs: Sequence[Pair]) -> set[tuple[int, int]]:
    return {(pair.first, pair.second) for pair in pairs}


@pytest.fixture(scope="module")
def slices() -> list[Grey]:
    """CT slices of eight patients."""
    return [draw(CLASSES[index % 4], 42, index) for index in range(8)]


def test_copies_of_a_file_are_each_linked_to_the_first(slices: list[Grey]) -> None:
    signatures = [sign(picture, str(place)) for place, picture in enumerate(slices[:2])]
    one, two = signatures

    pairs = find_pairs(["a", "b", "a", "b", "a"], [one, two, one, two, one])

    assert pairs == [Pair(0, 2, "bytes", 1.0), Pair(0, 4, "bytes", 1.0), Pair(1, 3, "bytes", 1.0)]


def test_other_files_of_the_same_grey_levels_are_linked_once(slices: list[Grey]) -> None:
    one, two = (sign(picture, str(place)) for place, picture in enumerate(slices[:2]))

    pairs = find_pairs(["a", "b", "c", "b"], [one, one, two, one])

    assert pairs == [Pair(0, 1, "pixels", 1.0), Pair(1, 3, "bytes", 1.0)]


@pytest.mark.parametrize("way", WAYS)
def test_a_copy_altered_in_one_way_is_found_and_only_it(slices: list[Grey], way: str) -> None:
    rng = np.random.default_rng(len(way))
    copies = [altered(picture, (way,), rng) for picture in slices]

    pairs = pairs_of([*slices, *copies])

    assert places(pairs) == {(place, place + 8) for place in range(8)}
    assert all(pair.kind == "near" and 0.6 < pair.similarity <= 1 for pair in pairs)


def test_a_copy_altered_in_two_ways_is_found_and_only_it(slices: list[Grey]) -> None:
    rng = np.random.default_rng(1)
    both = [ways for ways in COMBINATIONS if len(ways) == 2]
    copies = [altered(slices[number % 8], ways, rng) for number, ways in enumerate(both)]

    found = places(pairs_of([*slices, *copies]))

    assert {(number % 8, 8 + number) for number in range(len(both))} <= found
    patient = [*range(8), *(number % 8 for number in range(len(both)))]
    assert all(patient[first] == patient[second] for first, second in found)


def test_something_drawn_on_a_copy_does_not_hide_it(slices: list[Grey]) -> None:
    labelled = slices[0].copy()
    height, width = labelled.shape
    cv2.putText(labelled, "R", (width // 20, height // 2), cv2.FONT_HERSHEY_SIMPLEX, 1, 255, 2)
    cv2.arrowedLine(labelled, (width // 4, height // 4), (width // 3, height // 2), 255, 3)

    assert places(pairs_of([*slices, labelled])) == {(0, 8)}


def test_which_pairs_there_are_does_not_depend_on_the_order(slices: list[Grey]) -> None:
    rng = np.random.default_rng(3)
    pictures = [*slices, *(altered(picture, ("crop", "jpeg"), rng) for picture in slices[:4] * 2)]
    expected = {frozenset(pair[:2]): pair.similarity for pair in pairs_of(pictures)}
    assert len(expected) == 4 * 3

    order = rng.permutation(len(pictures)).tolist()
    pairs = pairs_of([pictures[place] for place in order])

    assert {frozenset((order[pair.first], order[pair.second])): pair.similarity for pair in pairs} == expected
    assert pairs == sorted(pairs)


def test_the_same_words_and_frame_do_not_make_two_slices_copies(slices: list[Grey]) -> None:
    shown = []
    for picture in slices:
        screen = np.zeros((600, 800), np.uint8)
        screen[60:540, 100:700] = cv2.resize(picture, (600, 480))
        for line, text in enumerate(("HOSPITAL CT", "W 1500 L -600", "SE 3")):
            cv2.putText(screen, text, (10, 25 + 260 * line), cv2.FONT_HERSHEY_SIMPLEX, 1, 255, 2)
        shown.append(screen)

    assert pairs_of(shown) == []


def test_noise_in_the_same_oval_is_not_a_copy() -> None:
    rng = np.random.default_rng(4)
    y, x = np.mgrid[-1:1:285j, -1:1:429j]
    body = np.hypot(x / 0.9, y / 0.8) < 1
    noises = [
        (40 + 60 * body + rng.normal(0, 12, body.shape)).clip(0, 255).astype(np.uint8) for _ in range(40)
    ]

    assert pairs_of(noises) == []


def test_pictures_of_one_level_are_never_near() -> None:
    levels = [
        np.full(shape, level, np.uint8) for level in (0, 1, 128, 255) for shape in ((20, 30), (200, 300))
    ]

    pairs = pairs_of([*levels, levels[0]])

    assert pairs == [Pair(0, 8, "pixels", 1.0)]


def test_black_pictures_with_a_little_in_them_are_never_near() -> None:
    rng = np.random.default_rng(6)
    pictures = []
    for _ in range(30):
        picture = np.zeros((300, 400), np.uint8)
        centre = (int(rng.integers(190, 210)), int(rng.integers(140, 160)))
        cv2.circle(picture, centre, int(rng.integers(15, 25)), int(rng.integers(100, 255)), -1)
        pictures.append(picture)

    assert pairs_of(pictures) == []


def test_small_pictures_are_compared_too() -> None:
    faces = [(255 * face).astype(np.uint8) for face in skimage.data.lfw_subset()]
    rng = np.random.default_rng(7)
    copies = [
        altered(face, (way,), rng) for face, way in zip(faces, ("jpeg", "crop", "contrast"), strict=False)
    ]

    pairs = pairs_of([*faces, *copies])

    assert faces[0].shape == (25, 25)
    assert places(pairs) == {(place, len(faces) + place) for place in range(3)}


def test_two_views_of_one_scene_are_not_copies() -> None:
    left, right, _ = skimage.data.stereo_motorcycle()

    assert pairs_of([cv2.cvtColor(view, cv2.COLOR_RGB2GRAY) for view in (left, right)]) == []


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_to_compare_is_no_pair(slices: list[Grey], count: int) -> None:
    assert pairs_of(slices[:count]) == []


def test_a_signature_is_small(slices: list[Grey]) -> None:
    signature = sign(max(slices, key=np.size), "")

    assert signature.picture.nbytes + signature.hashes.nbytes < 16_000
