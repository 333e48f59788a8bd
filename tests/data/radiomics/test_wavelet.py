"""The wavelet transform against one written out as a filter bank."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from ctexp.data.radiomics.body import find_body
from ctexp.data.radiomics.wavelet import measure
from tests.data.radiomics.pictures import chest, noise, whole

# I. Daubechies, Ten Lectures on Wavelets (1992), table 6.1, N = 4: the scaling filter, largest first half
SCALING = np.array(
    [
        0.2303778133088965,
        0.7148465705529157,
        0.6308807679298589,
        -0.0279837694168599,
        -0.1870348117190931,
        0.0308413818355607,
        0.0328830116668852,
        -0.0105974017850690,
    ]
)
LOW = SCALING[::-1]
HIGH = np.array([(-1) ** (n + 1) * SCALING[n] for n in range(8)])


def along(picture: NDArray[np.float64], taps: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Mirror, convolve, and keep every second value, along an axis."""

    def line(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.convolve(np.pad(values, 7, "symmetric"), taps, "valid")[1::2]

    return np.apply_along_axis(line, axis, picture)


def split(picture: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """The bands, the first letter for what is done along rows, the second for down the columns."""
    bands = {"l": LOW, "h": HIGH}
    return {
        across + down: along(along(picture, bands[across], 1), bands[down], 0)
        for across in bands
        for down in bands
    }


@pytest.mark.parametrize("grey", [chest(), noise(3, 41, 53)], ids=["chest", "odd sides"])
def test_every_band_is_that_of_the_filter_bank(grey: NDArray[np.uint8]) -> None:
    body = find_body(grey)
    level1 = split(grey[body.box].astype(np.float64))
    level2 = split(level1["ll"])
    bands = {f"{name}2": band for name, band in level2.items()}
    bands |= {f"{name}1": band for name, band in level1.items() if name != "ll"}
    expected = {}
    for name, band in bands.items():
        expected[f"{name}_energy"] = (band**2).mean()
        expected[f"{name}_entropy"] = stats.entropy((band**2).ravel(), base=band.size)

    assert vars(measure(body)) == pytest.approx(expected, rel=1e-9)


def test_stripes_are_in_the_band_of_their_direction() -> None:
    down = np.tile(np.array([0, 255], np.uint8), (32, 16))

    measured, turned = measure(whole(down)), measure(whole(np.ascontiguousarray(down.T)))

    assert measured.hl1_energy > 1000 * max(measured.lh1_energy, measured.hh1_energy)
    assert turned.lh1_energy == pytest.approx(measured.hl1_energy)


def test_even_grey_has_no_detail() -> None:
    measured = vars(measure(whole(np.full((20, 30), 50, np.uint8))))

    assert measured.pop("ll2_energy") == pytest.approx((4 * 50) ** 2)
    assert measured.pop("ll2_entropy") == pytest.approx(1)
    assert set(measured.values()) == {0}


def test_black_has_nothing_at_all() -> None:
    assert set(vars(measure(whole(np.zeros((1, 1), np.uint8)))).values()) == {0}
