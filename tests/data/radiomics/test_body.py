"""Finding the body, and the air in it."""

import numpy as np

from ctexp.data.radiomics.body import air_regions, find_body
from tests.data.radiomics.pictures import chest, ellipse

SHAPE = (120, 160)
WALL = ellipse(SHAPE, 60, 80, 48, 72)
LUNG = ellipse(SHAPE, 60, 80, 20, 30)


def drawn(wall: int = 200, lung: int = 30, outside: int = 20) -> np.ndarray:
    picture = np.full(SHAPE, outside, np.uint8)
    picture[WALL] = wall
    picture[LUNG] = lung
    return picture


def test_the_lungs_belong_to_the_body_and_are_its_air() -> None:
    body = find_body(drawn())

    np.testing.assert_array_equal(body.mask, WALL)
    np.testing.assert_array_equal(body.air, LUNG)
    assert body.box == (slice(12, 109), slice(8, 153))


def test_what_lies_beside_the_patient_is_not_the_patient() -> None:
    picture = drawn()
    picture[115:117, 10:150] = 220  # the table

    np.testing.assert_array_equal(find_body(picture).mask, WALL)


def test_a_lung_that_reaches_the_border_is_outside() -> None:
    picture = drawn()
    picture[55:60, 80:] = 20

    body = find_body(picture)

    assert not body.mask[57, 100]
    assert not body.air.any()


def test_a_picture_of_one_grey_level_has_no_body_and_is_measured_whole() -> None:
    body = find_body(np.full(SHAPE, 77, np.uint8))

    assert not body.mask.any()
    assert body.measured.all()
    assert body.box == (slice(0, 120), slice(0, 160))


def test_specks_of_air_and_of_tissue_do_not_count() -> None:
    picture = drawn()
    picture[60, 80] = 200  # one pixel of tissue in the lung
    picture[60, 20] = 20  # one pixel of air in the wall

    air, areas = air_regions(find_body(picture))

    np.testing.assert_array_equal(air, LUNG)
    assert areas.tolist() == [LUNG.sum()]


def test_regions_come_largest_first() -> None:
    _, areas = air_regions(find_body(chest()))

    assert len(areas) == 2
    assert areas[0] > areas[1]
