from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from ctexp.core.classes import CLASSES
from ctexp.core.errors import DataError
from ctexp.data.catalog import ImageRow
from ctexp.data.splits.deal import divide
from tests.data.splits.sets import any_set

Triple = tuple[str, str, str]


def triples(rows: Sequence[ImageRow]) -> list[Triple]:
    return [(row.image_id, row.class_name, row.group) for row in rows]


def singles(count: int) -> list[Triple]:
    return [(f"{name}/{n}.png", name, f"{name}-{n}") for name in CLASSES for n in range(count)]


def folds(count: int) -> dict[str, int]:
    return {str(fold): 1 for fold in range(count)}


def test_single_images_are_divided_70_15_15_in_every_class() -> None:
    images = singles(100)

    made = divide(images, 42)

    counts = Counter((made[image_id], name) for image_id, name, _ in images)
    assert counts == {
        (part, name): count for part, count in (("train", 70), ("val", 15), ("test", 15)) for name in CLASSES
    }


def test_other_shares_are_kept_too_and_what_does_not_come_out_even_is_levelled() -> None:
    made = divide(singles(40), 42, {"train": 50, "val": 25, "test": 25})
    dealt = divide(singles(33), 42, folds(5))

    assert Counter(made.values()) == {"train": 80, "val": 40, "test": 40}
    assert sorted(Counter(dealt.values()).values()) == [26, 26, 26, 27, 27]


def test_the_seed_decides_and_the_order_does_not() -> None:
    images = singles(40)

    assert divide(images, 1) == divide(images[::-1], 1)
    assert divide(images, 1) != divide(images, 2)


def test_a_division_is_the_same_on_every_machine_and_in_every_year() -> None:
    images = [
        (f"{n}.png", CLASSES[n % 4], f"group {n // 2 if n < 12 else n}") for n in range(30) if n not in {3, 8}
    ]

    assert (
        "".join(part for _, part in sorted(divide(images, 7, folds(3)).items()))
        == "0000222100211101011022111222"
    )


def test_too_few_independent_images_are_told_of_every_class() -> None:
    images = [*singles(3)[3:], ("a.png", CLASSES[0], "same"), ("b.png", CLASSES[0], "same")]

    with pytest.raises(DataError) as failure:
        divide([image for image in images if image[1] != "normal"], 0)

    assert failure.value.problems == (
        "adenocarcinoma: 1 independent image; 3 parts need at least 3",
        "normal: 0 independent images; 3 parts need at least 3",
    )


@settings(max_examples=50, deadline=None)
@given(any_set(), st.integers(0, 2**32 - 1), st.integers(2, 5), st.randoms())
def test_every_image_is_dealt_once_with_its_group_whatever_the_order(
    rows: list[ImageRow], seed: int, count: int, random: np.random.Generator
) -> None:
    images = triples(rows)

    made = divide(images, seed, folds(count))

    sides = defaultdict(set)
    for image_id, _, group in images:
        sides[group].add(made[image_id])
    assert made.keys() == {image_id for image_id, _, _ in images}
    assert all(len(parts) == 1 for parts in sides.values())
    random.shuffle(images)
    assert divide(images, seed, folds(count)) == made


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.lists(st.integers(1, 9), min_size=3, max_size=25), min_size=4, max_size=4), st.integers(0, 9)
)
def test_no_part_lacks_a_class_and_shares_are_missed_by_less_than_the_largest_group(
    sizes: list[list[int]], seed: int
) -> None:
    images = [
        (f"{name}/{group}-{copy}.png", name, f"{name}-{group}")
        for name, groups in zip(CLASSES, sizes, strict=True)
        for group, size in enumerate(groups)
        for copy in range(size)
    ]

    made = divide(images, seed, {"train": 1, "val": 1, "test": 1})

    counts = Counter((made[image_id], name) for image_id, name, _ in images)
    assert len(counts) == 3 * len(CLASSES)
    for name, groups in zip(CLASSES, sizes, strict=True):
        assert all(
            abs(counts[part, name] - sum(groups) / 3) <= max(groups) for part in ("train", "val", "test")
        )


@pytest.mark.parametrize("count", [3, 4, 5])
def test_the_small_parts_get_one_of_each_class_before_the_large_one_gets_its_share(count: int) -> None:
    images = [
        (f"{name}/{number}.png", name, f"{name}-{number}") for name in CLASSES for number in range(count)
    ]
    for seed in range(5):
        made = divide(images, seed)
        assert Counter((made[image_id], name) for image_id, name, _ in images) == {
            (part, name): size
            for part, size in {"train": count - 2, "val": 1, "test": 1}.items()
            for name in CLASSES
        }


def test_shares_are_those_that_are_documented_where_nobody_says_others() -> None:
    images = [(f"{name}/{number}.png", name, f"{name}-{number}") for name in CLASSES for number in range(100)]
    assert Counter(divide(images, 42).values()) == {"train": 280, "val": 60, "test": 60}


@pytest.mark.parametrize("count", [2, 5, 8])
def test_folds_are_no_worse_stratified_than_scikit_learns(count: int) -> None:
    rng = np.random.default_rng(count)
    images = []
    for name in CLASSES:
        for group in range(int(rng.integers(10, 60))):
            for copy in range(int(rng.geometric(0.4))):
                conflicting = CLASSES[rng.integers(4)] if rng.random() < 0.05 else name
                images.append((f"{name}/{group}-{copy}", conflicting, f"{name}{group}"))
    labels, groups = [name for _, name, _ in images], [group for _, _, group in images]
    theirs = np.empty(len(images), int)
    kfold = StratifiedGroupKFold(count, shuffle=True, random_state=1)
    for fold, (_, chosen) in enumerate(kfold.split(labels, labels, groups)):
        theirs[chosen] = fold

    made = divide(images, 1, folds(count))

    ours = [int(made[image_id]) for image_id, _, _ in images]
    assert _unevenness(ours, labels, count) <= _unevenness(theirs.tolist(), labels, count) + 1e-12


def _unevenness(parts: Sequence[int], labels: Sequence[str], count: int) -> float:
    """Root of the summed squares by which folds miss their share of a class."""
    totals, got = Counter(labels), Counter(zip(parts, labels, strict=True))
    misses = [got[fold, name] / totals[name] - 1 / count for fold in range(count) for name in CLASSES]
    return float(np.linalg.norm(misses))
