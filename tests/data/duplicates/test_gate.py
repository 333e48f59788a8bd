"""On whole sets the copies found are those planted, and no others."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from ctexp.data.duplicates.find import find_pairs
from ctexp.data.duplicates.signature import sign
from ctexp.data.images import inspect
from ctexp.data.parallel import each
from ctexp.data.phantom.dataset import DEFAULT_COUNTS, generate
from tests.kaggle import COUNTS, NearCopy, build_kaggle_tree, plant_near_copies
from tests.near_copies import COMBINATIONS, altered

Ids = frozenset[str]


@dataclass(frozen=True)
class Found:
    """What is in a folder: SHA-256 of each file by the image's id, and the pairs of each kind."""

    sha256s: dict[str, str]
    pairs: dict[str, set[Ids]]

    def in_folder(self, folder: str) -> list[str]:
        return [sha256 for image_id, sha256 in self.sha256s.items() if image_id.startswith(f"{folder}/")]


def search(data: Path) -> Found:
    files = sorted(data.glob("*/*/*"))
    ids = [file.relative_to(data).as_posix().replace("valid/", "val/") for file in files]
    looked = each(inspect, files)
    sha256s = [facts.sha256 for facts, _ in looked]
    pairs: dict[str, set[Ids]] = {"bytes": set(), "pixels": set(), "near": set()}
    for pair in find_pairs(sha256s, each(lambda one: sign(one[1], one[0].pixels), looked)):
        pairs[pair.kind].add(frozenset((ids[pair.first], ids[pair.second])))
    return Found(dict(zip(ids, sha256s, strict=True)), pairs)


def planted(copies: list[NearCopy]) -> set[Ids]:
    return {frozenset((copy.original, copy.copy)) for copy in copies}


def test_a_small_replica_shows_exactly_what_was_planted(tmp_path: Path) -> None:
    build_kaggle_tree(tmp_path, 0.1, seed=11)
    copies = plant_near_copies(tmp_path, 30, seed=12)

    found = search(tmp_path / "Data")

    assert found.pairs["near"] == planted(copies)
    assert found.pairs["pixels"] == set()
    # Of one train normal two, and in test four copies of two train normals.
    assert len(found.pairs["bytes"]) == len(found.sha256s) - len(set(found.sha256s.values())) == 1 + 4


@pytest.mark.slow
def test_the_whole_replica_shows_exactly_what_was_planted(tmp_path: Path) -> None:
    build_kaggle_tree(tmp_path, 1, 21)
    copies = plant_near_copies(tmp_path, 4 * len(COMBINATIONS), 21)

    found = search(tmp_path / "Data")

    assert len(found.sha256s) == 1000 == sum(sum(classes.values()) for classes in COUNTS.values())
    assert found.pairs["near"] == planted(copies)
    assert found.pairs["pixels"] == set()
    train, test = found.in_folder("train/normal"), found.in_folder("test/normal")
    leaked = [sha256 for sha256 in test if sha256 in train]
    assert (len(test), len(leaked), len(set(leaked))) == (54, 46, 19)
    assert max(Counter(train).values()) == 8
    assert len(found.pairs["bytes"]) == 7 + 46


@pytest.mark.slow
def test_slices_of_different_patients_are_never_taken_for_copies(tmp_path: Path) -> None:
    data = tmp_path / "Data"
    generate(data, DEFAULT_COUNTS, seed=42)
    files = sorted(data.glob("*/*/*"))
    rng = np.random.default_rng(5)
    copies: set[Ids] = set()
    for number, place in enumerate(rng.permutation(len(files))[: 3 * len(COMBINATIONS)]):
        original, ways = files[place], COMBINATIONS[number % len(COMBINATIONS)]
        folder = files[rng.integers(len(files))].parent
        copy = folder / f"copy{number}.png"
        with Image.open(original) as image:
            cv2.imwrite(str(copy), altered(np.array(image.convert("L")), ways, rng))
        ids = (file.relative_to(data).as_posix().replace("valid/", "val/") for file in (original, copy))
        copies.add(frozenset(ids))

    found = search(data)

    assert len(found.sha256s) == 360 + 3 * len(COMBINATIONS)
    assert found.pairs == {"bytes": set(), "pixels": set(), "near": copies}
