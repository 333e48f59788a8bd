import numpy as np

from ctexp.core.classes import CLASSES
from ctexp.data.audit.findings import Shortcuts
from ctexp.data.audit.shortcuts import shortcuts
from tests.data.audit.pictures import seen, together


def alarmed(found: Shortcuts) -> set[str]:
    return {baseline.family for baseline in found.baselines if baseline.alarm}


def test_larger_normals_are_found_and_named() -> None:
    rng = np.random.default_rng(1)
    images = together(
        *(seen(rng, "train", name, 30, width=2.5 if name == "normal" else 0) for name in CLASSES)
    )
    found = shortcuts(images)
    assert (found.images, found.of, found.withheld) == (120, 120, "")
    assert alarmed(found) == {"all metadata", "size"}
    size = next(baseline for baseline in found.baselines if baseline.family == "size")
    assert size.measures == ("width", "height", "aspect ratio")
    cancer = next(answer for answer in size.answers if answer.question == "cancer")
    assert cancer.majority == 0.75
    assert cancer.accuracy.low > 0.8
    assert cancer.auroc.low > 0.8


def test_a_type_of_file_that_goes_with_a_class_is_found() -> None:
    rng = np.random.default_rng(2)
    found = shortcuts(
        together(
            *(seen(rng, "train", name, 30, suffix="jpg" if name == CLASSES[1] else "png") for name in CLASSES)
        )
    )
    assert alarmed(found) >= {"all metadata", "file type"}
    assert not alarmed(found) & {"size", "borders"}


def test_labels_at_random_raise_no_alarm() -> None:
    for seed, counts in enumerate([(40, 20, 15, 12), (20, 0, 0, 20), (40, 0, 0, 40), (30, 0, 0, 70)]):
        rng = np.random.default_rng(seed)
        images = (seen(rng, "train", name, count) for name, count in zip(CLASSES, counts, strict=True))
        assert not alarmed(shortcuts(together(*images))), counts


def test_what_tells_few_images_apart_is_shown_but_no_alarm() -> None:
    rng = np.random.default_rng(2)
    found = shortcuts(
        together(*(seen(rng, "train", name, 29, width=9 * n) for n, name in enumerate(CLASSES)))
    )
    together_, size, *_ = found.baselines
    assert size.family == "size"
    assert size.answers[0].auroc.low > 0.9
    assert size.answers[0].auroc.few
    assert size.answers[0].accuracy.few
    assert not together_.alarm


def test_copies_are_one_witness() -> None:
    rng = np.random.default_rng(3)
    found = shortcuts(together(*(seen(rng, "train", name, 12, copies=6) for name in CLASSES)))
    assert found.images == 48
    assert not alarmed(found)


def test_a_class_that_is_too_small_is_left_out_and_named() -> None:
    rng = np.random.default_rng(4)
    images = together(
        seen(rng, "train", "normal", 12), seen(rng, "train", CLASSES[0], 12), seen(rng, "val", CLASSES[1], 1)
    )
    found = shortcuts(images)
    assert found.left_out == {CLASSES[1]: 1}
    assert found.images == 24
    assert [answer.majority for answer in found.baselines[0].answers] == [0.5, 0.5]


def test_too_little_is_said_instead_of_guessed() -> None:
    rng = np.random.default_rng(5)
    few = together(*(seen(rng, "train", name, 4) for name in CLASSES))
    found = shortcuts([*few, *seen(rng, "test", "normal", 20, excluded=True)])
    assert found.baselines == ()
    assert "10 independent images" in found.withheld
    assert "normal 4" in found.withheld
    assert "none" in shortcuts([]).withheld
