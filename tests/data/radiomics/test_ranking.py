"""The ranking against scipy, on data whose answer is known."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from ctexp.core.classes import CLASSES
from ctexp.core.errors import DataError
from ctexp.data.radiomics.columns import COLUMNS
from ctexp.data.radiomics.ranking import independent, rank
from tests.data.rows import row

N = 400
LABELS = [number % 4 for number in range(N)]


def values() -> np.ndarray:
    """Noise, but column 7 follows the class closely, column 3 a little, and column 11 is constant."""
    rng = np.random.default_rng(3)
    drawn = rng.normal(size=(N, 50))
    drawn[:, 7] += 2 * np.array(LABELS)
    drawn[:, 3] += 0.5 * np.array(LABELS)
    drawn[:, 11] = 42
    return drawn


def test_the_informative_columns_come_first_and_they_alone_are_top() -> None:
    ranks = rank(values(), LABELS)

    assert [one.column for one in ranks[:2]] == [COLUMNS[7], COLUMNS[3]]
    assert [one.column for one in ranks if one.is_top] == [COLUMNS[7], COLUMNS[3]]
    assert sorted(one.column for one in ranks) == sorted(COLUMNS)


def test_every_number_is_scipys() -> None:
    drawn = values()
    ranks = {one.column: one for one in rank(drawn, LABELS)}

    classes = np.array(LABELS)
    tests = []
    for column in np.delete(drawn, 11, axis=1).T:
        tests.append(stats.kruskal(*(column[classes == label] for label in range(4))))
    others = [ranks[name] for name in COLUMNS if name != COLUMNS[11]]
    assert [one.h for one in others] == pytest.approx([test.statistic for test in tests])
    assert [one.p for one in others] == pytest.approx([test.pvalue for test in tests])
    assert [one.effect for one in others] == pytest.approx([test.statistic / (N - 1) for test in tests])

    # Benjamini and Hochberg's steps, written out
    ps = np.array([ranks[name].p for name in COLUMNS])
    order = np.argsort(ps)
    steps = ps[order] * 50 / np.arange(1, 51)
    corrected = np.minimum.accumulate(steps[::-1])[::-1].clip(max=1)
    assert [ranks[COLUMNS[place]].corrected_p for place in order] == pytest.approx(corrected)


def test_a_constant_column_says_nothing() -> None:
    (constant,) = [one for one in rank(values(), LABELS) if one.column == COLUMNS[11]]

    assert (constant.h, constant.p, constant.effect) == (0, 1, 0)


def test_a_significant_but_small_effect_is_not_top() -> None:
    rng = np.random.default_rng(4)
    labels = [number % 4 for number in range(4000)]
    drawn = rng.normal(size=(4000, 50))
    drawn[:, 0] += 0.1 * np.array(labels)

    best = rank(drawn, labels)[0]

    assert best.column == COLUMNS[0]
    assert best.corrected_p < 1e-6
    assert best.effect < 0.06
    assert not best.is_top


def test_one_image_of_each_group_is_used_and_none_of_a_contradictory_one() -> None:
    rows = [
        row("c.png", group="a"),
        row("a.png", group="a"),
        row("b.png", group="b"),
        row("d.png", group="contradictory"),
        row("e.png", group="contradictory", class_name=CLASSES[0]),
    ]

    assert independent(rows) == [1, 2]
    assert [rows[place].image_id for place in independent(rows)] == ["a.png", "b.png"]


def test_copies_do_not_make_a_feature_significant() -> None:
    rng = np.random.default_rng(5)
    drawn = rng.normal(size=(16, 50))
    originals = [row(f"{number}", class_name=CLASSES[number % 4], group=str(number)) for number in range(16)]
    copies = [replace(one, image_id=f"{one.image_id} copy {time}") for one in originals for time in range(30)]
    rows = [*originals, *copies]
    features = np.vstack([drawn, drawn.repeat(30, axis=0)])

    chosen = independent(rows)

    assert len(chosen) == 16
    assert rank(features[chosen], [rows[place].label for place in chosen]) == rank(
        drawn, [one.label for one in originals]
    )
    assert any(one.is_top for one in rank(features, [one.label for one in rows]))


def test_a_class_without_images_is_refused() -> None:
    with pytest.raises(DataError, match="no training image of normal"):
        rank(values(), [number % 3 for number in range(N)])
