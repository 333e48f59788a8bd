"""The fifty columns as a whole: names, values that never drift, and what they do not depend on."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from ctexp.data.radiomics import columns
from ctexp.data.radiomics.columns import COLUMNS, FAMILIES, measure
from tests.data.radiomics.pictures import chest

GOLDEN = Path(__file__).parents[2] / "golden" / "radiomics.json"


def named(grey: NDArray[np.uint8]) -> dict[str, float]:
    return dict(zip(COLUMNS, measure(grey)[0].tolist(), strict=True))


def test_there_are_fifty_in_five_families() -> None:
    assert {name: len(its) for name, its in FAMILIES.items()} == {
        "intensity": 8,
        "glcm": 13,
        "shape": 9,
        "region": 6,
        "wavelet": 14,
    }
    assert len(set(COLUMNS)) == 50


def test_values_change_only_with_the_version_of_the_definitions() -> None:
    golden = json.loads(GOLDEN.read_text())

    assert golden["definitions"] == columns.DEFINITIONS
    assert named(chest()) == pytest.approx(golden["values"], rel=1e-7, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    arrays(
        np.uint8,
        st.tuples(st.integers(1, 24), st.integers(1, 24)),
        elements=st.one_of(st.integers(0, 255), st.sampled_from([0, 255])),
    )
)
def test_every_value_of_any_picture_is_finite(grey: NDArray[np.uint8]) -> None:
    values, seconds = measure(grey)

    assert values.shape == (50,)
    assert np.isfinite(values).all()
    assert list(seconds) == ["body", *FAMILIES]


def test_a_brighter_picture_differs_in_what_says_how_bright_it_is() -> None:
    plain, brighter = named(chest()), named(chest() + np.uint8(16))

    changed = {name for name in COLUMNS if brighter[name] != pytest.approx(plain[name], rel=1e-9, abs=1e-9)}
    assert changed == {
        *(f"intensity_{name}" for name in ("mean", "p10", "median", "p90")),
        "glcm_sum_average",
        "wavelet_ll2_energy",
        "wavelet_ll2_entropy",
    }
    assert brighter["intensity_mean"] == pytest.approx(plain["intensity_mean"] + 16)
    assert brighter["glcm_sum_average"] == pytest.approx(plain["glcm_sum_average"] + 4)


def test_the_margin_around_the_patient_says_nothing() -> None:
    grey = chest()
    wider = np.pad(grey, ((30, 10), (5, 70)), constant_values=grey[0, 0])

    plain, padded = named(grey), named(wider)

    assert padded.pop("shape_area") == pytest.approx(plain.pop("shape_area") * grey.size / wider.size)
    assert padded == pytest.approx(plain, rel=1e-9, abs=1e-9)


def test_levels_and_regions_are_the_same_at_twice_the_size() -> None:
    grey = chest()
    plain, doubled = named(grey), named(grey.repeat(2, axis=0).repeat(2, axis=1))

    for name in (*FAMILIES["intensity"], *FAMILIES["region"]):
        assert doubled[name] == pytest.approx(plain[name], rel=1e-9), name


def test_outlines_are_the_same_at_any_size() -> None:
    small, large = named(chest(120, 160)), named(chest(360, 480))

    for name in FAMILIES["shape"]:
        assert large[name] == pytest.approx(small[name], rel=0.03), name


def test_a_mirrored_patient_has_the_same_features() -> None:
    grey = chest()
    plain, mirrored = named(grey), named(np.ascontiguousarray(grey[:, ::-1]))

    for name in COLUMNS:
        # the wavelet is not symmetric itself
        tolerance = 0.05 if name.startswith("wavelet") else 1e-9
        assert mirrored[name] == pytest.approx(plain[name], rel=tolerance, abs=1e-9), name
