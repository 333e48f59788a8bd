from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from ctexp.core.classes import CLASSES
from ctexp.data.catalog import ImageRow
from ctexp.data.sample import sample
from tests.data.rows import row


def images(*counts: int) -> list[ImageRow]:
    return [
        row(f"train/{name}/{number}.png", class_name=name)
        for name, count in zip(CLASSES, counts, strict=True)
        for number in range(count)
    ]


def classes(rows: tuple[ImageRow, ...]) -> Counter[str]:
    return Counter(chosen.class_name for chosen in rows)


def ids(rows: tuple[ImageRow, ...]) -> set[str]:
    return {one.image_id for one in rows}


def test_classes_keep_their_proportions() -> None:
    chosen = classes(sample(images(300, 200, 100, 400), 100))
    assert [chosen[name] for name in CLASSES] == [30, 20, 10, 40]


def test_a_rare_class_keeps_an_image() -> None:
    assert classes(sample(images(500, 500, 500, 1), 8))[CLASSES[3]] == 1


@given(st.tuples(*[st.integers(0, 30)] * 4), st.integers(4, 140))
def test_as_many_as_asked_for_in_their_order(counts: tuple[int, int, int, int], size: int) -> None:
    rows = images(*counts)
    chosen = sample(rows, size)
    assert len(chosen) == min(size, len(rows))
    assert set(classes(chosen)) == set(classes(tuple(rows)))
    assert [one for one in rows if one.image_id in ids(chosen)] == list(chosen)


def test_smaller_samples_lie_within_larger_ones_and_order_does_not_matter() -> None:
    rows = images(40, 40, 40, 40)
    small, large = ids(sample(rows, 16)), ids(sample(rows, 81))
    assert small < large
    assert ids(sample(rows[::-1], 16)) == small
