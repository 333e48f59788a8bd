"""Features as a network takes them: nothing of validation and test is in them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ctexp.core.errors import DataError, UsageError
from ctexp.data.radiomics import lists
from ctexp.data.radiomics.columns import COLUMNS
from ctexp.data.radiomics.inputs import LIMIT, FeatureInputs
from ctexp.data.selection import Selection
from tests.data.radiomics.made import COUNTS, INFORMATIVE, make_selection, make_values, write

SELECTION = make_selection()
VALUES = make_values(SELECTION)


def load(folder: Path, name: str = "all_features", selection: Selection = SELECTION) -> FeatureInputs:
    return FeatureInputs.load(folder, folder, selection, name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("made")
    write(made, SELECTION, VALUES)
    return made


def test_training_features_have_mean_0_and_deviation_1(folder: Path) -> None:
    inputs = load(folder)

    assert {split: part.shape for split, part in inputs.values.items()} == {
        split: (count, 50) for split, count in COUNTS.items()
    }
    assert all(part.dtype == np.float32 for part in inputs.values.values())
    np.testing.assert_allclose(inputs.values["train"].mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(inputs.values["train"].std(axis=0), 1, rtol=1e-5)


def test_each_image_has_its_own_features_in_the_selections_order(folder: Path) -> None:
    shuffled = tuple(reversed(SELECTION.rows["val"]))
    turned = load(folder, selection=replace(SELECTION, rows={**SELECTION.rows, "val": shuffled}))

    expected = (VALUES["val"] - VALUES["train"].mean(axis=0)) / VALUES["train"].std(axis=0)
    np.testing.assert_allclose(load(folder).values["val"], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(turned.values["val"], load(folder).values["val"][::-1])


@pytest.mark.parametrize("name", ["all_features", "top_features", "bottom_features"])
def test_nothing_of_validation_and_test_leaks_into_training(tmp_path: Path, folder: Path, name: str) -> None:
    others = {split: VALUES[split] * (1 if split == "train" else -1e3) for split in VALUES}
    write(tmp_path, SELECTION, others)

    before, after = load(folder, name), load(tmp_path, name)

    assert after.columns == before.columns
    assert after.record["mean"] == before.record["mean"]
    assert after.record["std"] == before.record["std"]
    assert after.record["origin"] == before.record["origin"]
    np.testing.assert_array_equal(after.values["train"], before.values["train"])
    assert not np.array_equal(after.values["val"], before.values["val"])


def test_training_images_do_set_the_standard(tmp_path: Path, folder: Path) -> None:
    others = VALUES | {"train": np.vstack([VALUES["train"][:-1], VALUES["train"][-1:] * 2])}
    write(tmp_path, SELECTION, others)

    before, after = load(folder), load(tmp_path)

    assert (np.array(after.record["mean"]) != before.record["mean"]).all()
    assert (np.array(after.record["std"]) != before.record["std"]).all()
    assert not np.array_equal(after.values["val"], before.values["val"])


def test_constant_columns_are_0_and_odd_images_are_cut_off(tmp_path: Path) -> None:
    train, val = VALUES["train"].copy(), VALUES["val"].copy()
    train[:, 0] = 0.1  # whose mean is not 0.1 to the last digit
    train[:, 1] = 0
    val[0, :3] = 1e9
    val[1, 2] = -1e9
    write(tmp_path, SELECTION, VALUES | {"train": train, "val": val})

    values = load(tmp_path).values

    for split in values:
        assert not values[split][:, :2].any()
        assert np.isfinite(values[split]).all()
    assert values["val"][:2, 2].tolist() == [LIMIT, -LIMIT]


def test_a_list_gives_its_columns_and_where_it_comes_from(folder: Path) -> None:
    everything, top, bottom = (load(folder, name) for name in ("all_features", *lists.NAMES))

    assert everything.columns == COLUMNS
    assert set(top.columns) == set(INFORMATIVE)
    assert set(bottom.columns) == set(COLUMNS) - set(INFORMATIVE)
    place = COLUMNS.index(top.columns[0])
    np.testing.assert_array_equal(top.values["val"][:, 0], everything.values["val"][:, place])
    assert top.record["columns"] == list(top.columns)
    assert top.record["origin"]["training"]["sha256"] == lists.fingerprint(SELECTION.rows["train"])
    assert everything.record["origin"] is None
    assert everything.record["table_sha256"] == top.record["table_sha256"]


def test_a_list_that_saw_other_images_is_refused(folder: Path) -> None:
    moved = SELECTION.rows["train"][:-1], (*SELECTION.rows["val"], SELECTION.rows["train"][-1])
    other = replace(SELECTION, scheme="grouped", rows={**SELECTION.rows, "train": moved[0], "val": moved[1]})

    with pytest.raises(DataError, match="ranked on other images than this grouped split trains on") as caught:
        load(folder, "top_features", other)
    assert "scripts/inv extract-features --dataset made --split grouped" in caught.value.hint
    with pytest.raises(DataError) as caught:
        load(folder, "bottom_features", replace(other, scheme="kfold", fold=0))
    assert caught.value.hint == "rank the features: scripts/inv extract-features --dataset made --split kfold"
    assert load(folder, "all_features", other).values["val"].shape == (COUNTS["val"] + 1, 50)


def test_other_schemes_with_the_same_training_images_share_a_list(folder: Path) -> None:
    clean = replace(
        SELECTION,
        scheme="clean",
        sha256="6" * 64,
        rows={**SELECTION.rows, "test": SELECTION.rows["test"][3:]},
    )

    assert load(folder, "top_features", clean).columns == load(folder, "top_features").columns


def test_a_fold_has_its_own_list_and_other_folds_cannot_use_it(tmp_path: Path) -> None:
    train, val = SELECTION.rows["train"], SELECTION.rows["val"]
    folds = [
        replace(SELECTION, scheme="kfold", fold=fold, rows={**SELECTION.rows, "train": its, "val": val})
        for fold, its in enumerate((train, train[:-1]))
    ]
    write(tmp_path, folds[0], VALUES)

    assert load(tmp_path, "top_features", folds[0]).record["origin"]["split"]["fold"] == 0
    with pytest.raises(DataError, match="data set 'made', fold 1, has no lists") as caught:
        load(tmp_path, "top_features", folds[1])
    assert caught.value.hint == "rank the features: scripts/inv extract-features --dataset made --split kfold"
    lists.lists_file(tmp_path, "made", 0).rename(lists.lists_file(tmp_path, "made", 1))
    with pytest.raises(DataError, match="ranked on other images than this kfold split trains on"):
        load(tmp_path, "top_features", folds[1])


def test_a_list_that_has_seen_validation_images_says_so_and_serves_no_others(tmp_path: Path) -> None:
    write(tmp_path, SELECTION, VALUES)
    assert load(tmp_path, "top_features").warnings == ()
    ranked = lists.Ranked("by validation", 200, {}, COLUMNS[:3], COLUMNS[3:], {}, "a command", validated=True)
    lists.write(lists.lists_file(tmp_path, "made"), SELECTION, ranked)

    (warning,) = load(tmp_path, "top_features").warnings
    assert warning.startswith("features=top_features: chosen by what counts on these very validation images")
    assert load(tmp_path, "all_features").warnings == ()
    other = replace(SELECTION, rows={**SELECTION.rows, "val": SELECTION.rows["test"]})
    with pytest.raises(DataError, match="other validation images than this official split's"):
        load(tmp_path, "top_features", other)


def test_an_empty_list_is_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    write(tmp_path, SELECTION, {split: rng.normal(size=part.shape) for split, part in VALUES.items()})

    with pytest.raises(DataError, match="top_features is empty"):
        load(tmp_path, "top_features")


def test_images_of_other_content_are_refused(folder: Path) -> None:
    changed = (replace(SELECTION.rows["val"][0], sha256="f" * 64), *SELECTION.rows["val"][1:])

    with pytest.raises(DataError, match=r"other content for 1 image, for example val/000\.png"):
        load(folder, selection=replace(SELECTION, rows={**SELECTION.rows, "val": changed}))


def test_a_list_of_another_name_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="'best_features'"):
        load(folder, "best_features")
