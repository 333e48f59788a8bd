import cv2
import numpy as np
import pytest
import scipy.fft
import skimage.data

from ctexp.data.duplicates.hashes import CUTS, distances, framed_hashes, placement

SIDE = 112
PICTURE = cv2.resize(skimage.data.camera(), (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def test_the_hash_of_the_whole_picture_is_the_signs_of_its_cosine_transform() -> None:
    waves = scipy.fft.dctn(cv2.resize(PICTURE, (64, 64), interpolation=cv2.INTER_AREA).astype(np.float64))
    radius = np.hypot(*np.indices(waves.shape)).ravel()
    lowest = waves.ravel()[np.argsort(radius, kind="stable")[1:257]]

    bits = np.unpackbits(framed_hashes(PICTURE)[0, 0, 0, 0].view(np.uint8))

    clear = np.abs(lowest) > 1  # rounding may turn the sign of a wave that is hardly there
    assert clear.sum() > 250
    np.testing.assert_array_equal(bits[clear], (lowest > 0)[clear])


@pytest.mark.parametrize("cuts", [(0, 0, 0, 2), (2, 0, 0, 0), (1, 1, 1, 1), (2, 0, 1, 2), (2, 2, 2, 2)])
def test_each_frame_has_the_hash_of_the_picture_cut_so(cuts: tuple[int, int, int, int]) -> None:
    large = cv2.resize(PICTURE, (2000, 2000), interpolation=cv2.INTER_CUBIC)
    top, bottom, left, right = (round(2000 * CUTS[cut]) for cut in cuts)
    cut = large[top : 2000 - bottom, left : 2000 - right]
    small = cv2.resize(cut, (SIDE, SIDE), interpolation=cv2.INTER_AREA)

    framed, plain = framed_hashes(PICTURE), framed_hashes(small)[0, 0, 0, 0]

    assert distances(framed[cuts], plain) <= 6
    nearest = np.unravel_index(distances(framed, plain).argmin(), framed.shape[:4])
    assert list(nearest) == list(cuts)


def test_a_cut_alone_turns_more_bits_than_a_candidate_may_differ_in() -> None:
    large = cv2.resize(PICTURE, (2000, 2000), interpolation=cv2.INTER_CUBIC)
    small = cv2.resize(large[60:, 60:], (SIDE, SIDE), interpolation=cv2.INTER_AREA)

    assert distances(framed_hashes(PICTURE)[0, 0, 0, 0], framed_hashes(small)[0, 0, 0, 0]) > 20


def test_placement_tells_where_the_cut_picture_lies() -> None:
    cuts = (0, 2, 1, 0)
    top, bottom, left, right = (SIDE * CUTS[cut] for cut in cuts)
    onto = placement(cuts, SIDE)

    corners = onto @ np.array([[-0.5, SIDE - 0.5], [-0.5, SIDE - 0.5], [1, 1]])

    np.testing.assert_allclose(corners[:, 0], [left - 0.5, top - 0.5], atol=1e-4)
    np.testing.assert_allclose(corners[:, 1], [SIDE - right - 0.5, SIDE - bottom - 0.5], atol=1e-4)
