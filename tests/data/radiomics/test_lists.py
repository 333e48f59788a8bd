"""The lists of top and bottom features: where they come from stands with them."""

from dataclasses import replace
from pathlib import Path

import pytest

from ctexp.core.errors import DataError
from ctexp.data.radiomics import lists
from ctexp.data.radiomics.columns import COLUMNS
from tests.data.radiomics.made import INFORMATIVE, make_selection, make_values, write


@pytest.fixture
def file(tmp_path: Path) -> Path:
    selection = make_selection()
    return write(tmp_path, selection, make_values(selection)).file


def test_top_and_bottom_are_all_columns_and_the_origin_says_whence(file: Path) -> None:
    found = lists.load(file)

    assert set(found.columns["top_features"]) == set(INFORMATIVE)
    assert set(found.columns["bottom_features"]) == set(COLUMNS) - set(INFORMATIVE)
    assert found.origin["split"] == {"scheme": "official", "sha256": "5" * 64}
    assert found.origin["training"]["images"] == found.origin["training"]["used"] == 200
    assert found.origin["threshold"] == {"corrected_p": 0.05, "epsilon_squared": 0.06}
    assert {"method", "dataset", "catalog", "correction", "definitions", "ctexp"} < set(found.origin)
    assert file.read_text().startswith(
        "# Written by: scripts/inv extract-features --dataset made --split official\n"
    )


def test_the_same_ranking_is_the_same_bytes(tmp_path: Path, file: Path) -> None:
    selection = make_selection()
    again = write(tmp_path / "again", selection, make_values(selection)).file

    assert again.read_bytes() == file.read_bytes()


def test_what_they_have_seen_is_the_training_images_and_their_classes() -> None:
    rows = make_selection().rows["train"]
    seen = lists.fingerprint(rows)

    assert lists.fingerprint(tuple(reversed(rows))) == seen
    last = rows[-1]
    for changed in (
        replace(last, sha256="f" * 64),
        replace(last, class_name="adenocarcinoma"),
        replace(last, image_id="other"),
    ):
        assert lists.fingerprint((*rows[:-1], changed)) != seen
    assert lists.fingerprint(rows[:-1]) != seen


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("- glcm_entropy\n", "- glcm_entropie\n", "no column; did you mean 'glcm_entropy'?"),
        ("- glcm_entropy\n", "- glcm_contrast\n", "glcm_contrast stands there a second time"),
        ("- glcm_entropy\n", "- [glcm_entropy]\n", "['glcm_entropy'] is no column"),
        ("- glcm_entropy\n", "- {a: 1}\n", "{'a': 1} is no column"),
        ("top_features:\n", "best_features:\n", "top_features is missing"),
        ("definitions: 1\n", "definitions: 0\n", "not made by version 1"),
        ("origin:\n", "whence:\n", "nobody could tell which images"),
        ("origin:\n", "origin: {}\norigin:\n", "given twice"),
    ],
)
def test_lists_that_are_not_are_refused_with_the_command(file: Path, old: str, new: str, says: str) -> None:
    before = file.read_text()
    file.write_text(before.replace(old, new, 1))
    assert file.read_text() != before

    with pytest.raises(DataError) as caught:
        lists.load(file)

    assert any(says in problem for problem in caught.value.problems)
    assert caught.value.hint == "rank the features: scripts/inv extract-features --dataset made"


def test_missing_lists_name_the_command(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no lists") as caught:
        lists.load(lists.lists_file(tmp_path, "made"))

    assert caught.value.hint == "rank the features: scripts/inv extract-features --dataset made"


def test_the_method_of_lists_can_be_asked_of_any_file(tmp_path: Path, file: Path) -> None:
    assert lists.method_in(file) == "Kruskal-Wallis test, one image of each group"
    assert lists.method_in(tmp_path / "none.yaml") is None
    for text in ("", "[1]", "origin: 3", "origin: {}", "\0: {"):
        file.write_text(text)
        assert lists.method_in(file) is None
