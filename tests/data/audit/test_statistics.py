import numpy as np
import pytest
from scipy.stats import entropy

from ctexp.data.audit.statistics import STATISTICS, measure


@pytest.mark.parametrize("seed", range(3))
def test_the_statistics_are_those_of_numpy_and_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    grey = rng.integers(0, 40 * seed + 20, (11, 17 + seed), dtype=np.uint8)
    found = dict(zip(STATISTICS, measure(grey), strict=True))
    assert (found["width"], found["height"]) == (17 + seed, 11)
    assert found["aspect ratio"] == (17 + seed) / 11
    assert found["mean brightness"] == pytest.approx(grey.mean())
    assert found["contrast"] == pytest.approx(grey.std())
    for name, percent in (("1st percentile", 1), ("median brightness", 50), ("99th percentile", 99)):
        assert found[name] == np.percentile(grey, percent, method="inverted_cdf")
    assert found["entropy"] == pytest.approx(entropy(np.bincount(grey.ravel()), base=2))
    borders = {"top": grey[0], "bottom": grey[-1], "left": grey[:, 0], "right": grey[:, -1]}
    for name, strip in borders.items():
        assert found[f"{name} border brightness"] == pytest.approx(strip.mean())


def test_a_uniform_picture_has_no_contrast_and_no_entropy() -> None:
    found = dict(zip(STATISTICS, measure(np.full((1, 1), 255, np.uint8)), strict=True))
    assert found["contrast"] == 0
    assert found["entropy"] == 0
    assert found["1st percentile"] == found["99th percentile"] == 255
