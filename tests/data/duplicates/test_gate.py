"""On sets shaped like the public one, the copies found are those planted and no others."""

from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ctexp.core.classes import CLASSES
from ctexp.core.files import sha256_bytes
from ctexp.data.duplicates.find import Pair, find_pairs
from ctexp.data.duplicates.signature import sign
from ctexp.data.images import inspect
from ctexp.data.parallel import each
from ctexp.data.phantom.dataset import generate
from tests.kaggle import NearCopy, build_kaggle_tree, plant_near_copies
from tests.near_copies import COMBINATIONS, altered


@dataclass(frozen=True)
class Found:
    """The pairs among the images of a folder, by their ids."""

    ids: list[str]
    sha256s: list[str]
    pairs: list[Pair]

    def of(self, kind: str) -> set[frozenset[str]]:
        return {
            frozenset((self.ids[pair.first], self.ids[pair.second])) for pair in self.pairs if pair.kind == kind
        }


def search(data: Path) -> Found:
    files = sorted(data.glob("*/*/*"))
    looked = each(inspect, files)
    sha256s = [facts.sha256 for facts, _ in looked]
    signatures = each(lambda one: sign(one[1], one[0].pixels), looked)
    ids = [file.relative_to(data).as_posix().replace("valid/", "val/") for file in files]
    return Found(ids, sha256s, find_pairs(sha256s, signatures))


def planted(copies: list[NearCopy]) -> set[frozenset[str]]:
    return {frozenset((copy.original, copy.copy)) for copy in copies}


def test_a_small_replica_shows_what_was_planted(tmp_path: Path) -> None:
    build_kaggle_tree(tmp_path, 0.1, seed=11)
    copies = plant_near_copies(tmp_path, 30, seed=12)

    found = search(tmp_path / "Data")

    assert found.of("near") == planted(copies)
    assert found.of("pixels") == set()
    repeated = sum(Counter(found.sha256s).values()) - len(set(found.sha256s))
    assert len(found.of("bytes")) == repeated > 8


@pytest.mark.slow
@pytest.mark.parametrize("seed", [21, 22])
def test_the_whole_replica_shows_exactly_what_was_planted(tmp_path: Path, seed: int) -> None:
    build_kaggle_tree(tmp_path, 1, seed)
    copies = plant_near_copies(tmp_path, 4 * len(COMBINATIONS), seed)

    found = search(tmp_path / "Data")

    assert len(found.ids) == 1000
    assert found.of("near") == planted(copies)
    assert found.of("pixels") == set()
    by_folder: dict[str, list[str]] = {"train/normal": [], "test/normal": []}
    for image_id, sha256 in zip(found.ids, found.sha256s, strict=True):
        by_folder.setdefault(image_id.rsplit("/", 1)[0], []).append(sha256)
    train = set(by_folder["train/normal"])
    leaked = [sha256 for sha256 in by_folder["test/normal"] if sha256 in train]
    assert (len(by_folder["test/normal"]), len(leaked), len(set(leaked))) == (54, 46, 19)
    assert max(Counter(by_folder["train/normal"]).values()) == 8
    repeats = {(place, sha256) for place, sha256 in enumerate(found.sha256s)}
    assert len(found.of("bytes")) == len(repeats) - len(set(found.sha256s)) == 7 + 46
