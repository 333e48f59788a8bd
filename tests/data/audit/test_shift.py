import numpy as np

from ctexp.core.classes import CLASSES
from ctexp.data.audit.shift import shift
from tests.data.audit.pictures import seen, together

CANCERS = CLASSES[:3]


def test_a_dark_bottom_row_of_the_test_cancers_is_named() -> None:
    rng = np.random.default_rng(1)
    found = shift(
        together(
            *(seen(rng, "train", name, 20) for name in CLASSES),
            *(seen(rng, "test", name, 12, bottom_border_brightness=-6) for name in CANCERS),
            seen(rng, "test", "normal", 12),
        )
    )
    by_name = {(one.split, one.among): one for one in found}
    assert set(by_name) == {("test", among) for among in ("all", "cancers", "normals")}
    cancers = by_name["test", "cancers"]
    assert (cancers.train, cancers.other) == (60, 36)
    assert cancers.auroc
    assert cancers.auroc.alarm
    assert cancers.auroc.low > 0.95
    assert cancers.telling[0].statistic == "bottom border brightness"
    assert cancers.telling[0].auroc < 0.05
    assert cancers.telling[0].train - cancers.telling[0].other > 4
    normals = by_name["test", "normals"]
    assert normals.auroc
    assert not normals.auroc.alarm


def test_a_random_split_raises_no_alarm() -> None:
    rng = np.random.default_rng(6)
    parts = (("train", 30), ("val", 12), ("test", 14))
    found = shift(together(*(seen(rng, split, name, count) for split, count in parts for name in CLASSES)))
    assert len(found) == 6
    assert not [one for one in found if one.auroc is None or one.auroc.alarm]


def test_few_images_are_compared_but_raise_no_alarm() -> None:
    rng = np.random.default_rng(7)
    (found, *_) = shift(
        together(
            seen(rng, "train", "normal", 60), seen(rng, "test", "normal", 29, bottom_border_brightness=-6)
        )
    )
    assert found.auroc
    assert found.auroc.low > 0.95
    assert (found.auroc.alarm, found.auroc.few) == (False, True)


def test_noise_of_thirty_images_a_side_raises_no_alarm() -> None:
    for seed in range(4):
        rng = np.random.default_rng(seed)
        found = shift(together(seen(rng, "train", "normal", 30), seen(rng, "test", "normal", 30 + 10 * seed)))
        assert [one for one in found if one.auroc and not one.auroc.few]
        assert not [one for one in found if one.auroc and one.auroc.alarm], seed


def test_a_split_of_copies_is_no_shift_to_be_seen_twice() -> None:
    """Many images of few pictures are few: the figure is withheld."""
    rng = np.random.default_rng(2)
    (all_images, *_) = shift(
        together(seen(rng, "train", "normal", 30), seen(rng, "val", "normal", 3, copies=20))
    )
    assert all_images.auroc is None
    assert "there are 3" in all_images.withheld
    assert all_images.other == 60


def test_excluded_images_and_empty_splits_are_not_compared() -> None:
    rng = np.random.default_rng(3)
    images = together(seen(rng, "train", "normal", 12), seen(rng, "test", "normal", 12, excluded=True))
    assert shift(images) == ()
    assert shift([]) == ()
