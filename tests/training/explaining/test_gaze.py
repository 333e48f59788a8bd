"""Where a map lies, on a bright body before a dark background."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from ctexp.data.radiomics.body import find_body
from ctexp.training.explaining import pictures
from ctexp.training.explaining.gaze import Gaze, gaze

GREY = np.full((64, 64), 5, np.uint8)
GREY[16:48, 16:48] = 200


def test_a_map_inside_the_body_is_inside() -> None:
    heat = np.zeros((64, 64), np.float32)
    heat[20:40, 20:40] = 3
    told = gaze(heat, GREY)

    assert told == Gaze(0.0, 0.75)
    assert not told.looks_away


def test_a_map_in_the_corner_is_outside() -> None:
    heat = np.zeros((4, 4), np.float32)
    heat[0, 0] = 1
    told = gaze(heat, GREY)

    assert told.outside is not None
    assert told.outside > 0.95
    assert told.looks_away


def test_an_even_gaze_is_as_much_outside_as_the_picture() -> None:
    told = gaze(np.ones((3, 3), np.float32), GREY)

    assert told.outside == pytest.approx(told.area)
    assert told.area == (~find_body(GREY).mask).mean()


def test_without_a_map_or_a_body_there_is_nothing_to_tell() -> None:
    assert gaze(np.zeros((3, 3), np.float32), GREY) == Gaze(None, 0.75)
    assert gaze(np.ones((3, 3), np.float32), np.full((8, 8), 9, np.uint8)) == Gaze(None, None)


def test_a_body_that_fills_the_picture_is_no_gaze_away() -> None:
    assert not Gaze(0.0, 0.0).looks_away


def test_pictures_show_the_map_where_it_is_and_the_image_elsewhere() -> None:
    heat = np.zeros((4, 4), np.float32)
    heat[0, 0] = 7
    grey = np.full((64, 64), 100, np.uint8)
    shown, plain = (
        np.asarray(Image.open(BytesIO(jpeg)).convert("RGB"), np.int64)
        for jpeg in (pictures.overlay(grey, heat), pictures.plain(grey))
    )

    assert shown.shape == plain.shape == (64, 64, 3)
    assert np.ptp(shown[40, 40]) < 12
    assert shown[2, 2, 0] > 160  # red: the bright end of the colours
    assert np.abs(plain - 100).max() < 4
