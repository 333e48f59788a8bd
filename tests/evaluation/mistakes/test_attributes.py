"""What is known of images: from files, from people, in bands, and where nothing is."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from ctexp.evaluation.mistakes.attributes import attributes, in_order
from tests.evaluation.mistakes.tables import drawn, rows

FOUND = drawn(60, 1.0, 1)


def known(change: dict[str, list[Any]]) -> dict[str, tuple[str | None, ...]]:
    """Columns where each place's fields are taken from lists, over and over."""
    return dict(
        attributes(
            FOUND,
            rows(FOUND, lambda place: {key: its[place % len(its)] for key, its in change.items()}),
        ).columns
    )


def meta(**values: list[str]) -> dict[str, tuple[str | None, ...]]:
    listed = [
        {name: its[place % len(its)] for name, its in values.items() if its[place % len(its)]}
        for place in range(60)
    ]
    return known({"meta": listed})


def test_files_tell_format_mode_size_split_and_copies() -> None:
    columns = known({"path": ["a.PNG", "b.dcm"], "mode": ["RGBA"], "split": ["train", "test"]})

    assert columns["format"][:2] == ("png", "dcm")
    assert set(columns["mode"]) == {"RGBA"}
    assert columns["official split"][:2] == ("train", "test")
    assert set(columns["copies"]) == {"stands alone"}


def test_relatives_anywhere_in_the_data_set_count_but_not_excluded_ones() -> None:
    here = rows(FOUND)
    elsewhere = replace(here[0], image_id="train/other.png")
    shut = replace(here[1], image_id="train/shut.png", excluded=True)
    told = attributes(FOUND, [*here, elsewhere, shut]).columns["copies"]

    assert told[:3] == ("has copies", "stands alone", "stands alone")
    of_people = [replace(row, meta={"patient": "p"}) for row in (*here, elsewhere)]
    assert attributes(FOUND, of_people).columns["copies"][0] == "has relatives"


def test_sizes_are_three_bands_named_by_what_is_in_them() -> None:
    told = known({"width": list(range(300, 360)), "height": [10]})["size"]

    assert sorted(set(told), key=lambda value: in_order(value or "")) == [
        "300 to 319 px",
        "320 to 339 px",
        "340 to 359 px",
    ]
    assert set(Counter(told).values()) == {20}
    assert known({"width": [512], "height": [512]})["size"] == ("512 px",) * 60
    assert set(known({"width": [512, 512, 256], "height": [1]})["size"]) == {"256 px", "512 px"}


def test_large_source_groups_are_slices_of_their_own() -> None:
    told = known({"group": ["site" if place < 15 else f"g{place}" for place in range(60)]})["source group"]

    assert Counter(told) == {"site": 15, "smaller groups": 45}


@pytest.mark.parametrize(
    ("age", "band"),
    [("49", "0 to 49"), ("063Y", "60 to 69"), ("70.5", "70 and over"), ("50", "50 to 59"), ("?", None)],
)
def test_ages_become_bands(age: str, band: str | None) -> None:
    told = meta(age=[age, "55"])

    assert told["age"][:2] == (band, "50 to 59")


def test_other_numbers_become_thirds_and_many_words_become_other() -> None:
    told = meta(
        dose=[str(place) for place in range(60)],
        scanner=[f"scanner {min(place, 20)}" for place in range(60)],
        stage=["1", "2", "3", ""],
    )

    assert set(told["dose"]) == {"0 to 19", "20 to 39", "40 to 59"}
    assert len(set(told["scanner"])) == 12
    assert "other" in told["scanner"]
    assert set(told["stage"]) == {"1", "2", "3", None}


def test_dates_become_years_and_patients_no_slices() -> None:
    told = meta(acquired=["2019-01-02", "2020-03-04"], patient=["a", "b"], study=["1", "2"])

    assert told["year"][:2] == ("2019", "2020")
    assert not {"acquired", "patient", "study"} & told.keys()


def test_columns_about_people_are_named() -> None:
    told = attributes(FOUND, rows(FOUND, lambda _: {"meta": {"sex": "F", "scanner": "x", "dose": "1"}}))

    assert told.people == ("scanner", "sex")


def test_images_of_another_content_are_unknown() -> None:
    changed = rows(FOUND, lambda place: {"sha256": "f" * 64} if place < 3 else {})
    told = attributes(FOUND, changed)

    assert told.unknown == 3
    assert told.columns["mode"][:4] == (None, None, None, "L")
    assert attributes(FOUND, []).unknown == 60
    assert set(attributes(FOUND, []).columns) == {"class", "confidence"}


def test_confidence_stands_in_its_band() -> None:
    for value, told in zip(FOUND.confidence, attributes(FOUND, []).columns["confidence"], strict=True):
        low, _, high = (told or "").partition(" to ")
        assert float(low) <= value <= float(high)
