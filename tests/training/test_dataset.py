from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ctexp.core.errors import DataError
from ctexp.data.selection import select
from ctexp.data.splits import split_file
from ctexp.data.splits.schemes import make
from ctexp.training.dataset import describe, same_data
from tests.leaky import COPIES, add_leaky_set


def test_the_manifest_tells_counts_shares_and_grey_levels_of_every_split(tmp_path: Path) -> None:
    add_leaky_set(tmp_path)
    selection = select(tmp_path / "data", tmp_path / "splits", "leaky", "auto", None)

    told = describe(selection, tmp_path)

    assert (told.name, told.split, told.split_sha256) == ("leaky", "clean", selection.sha256)
    assert told.rows["test"]["normal"] == 12 - COPIES
    assert told.left_out == {"test": COPIES}
    assert told.split_shares == {"train": 0.3577, "val": 0.3252, "test": 0.3171}
    assert told.class_shares["train"] == dict.fromkeys(told.rows["train"], 0.25)
    for split, rows in selection.rows.items():
        pixels = np.concatenate(
            [np.asarray(Image.open(selection.catalog.raw / row.path)).ravel() for row in rows]
        )
        assert told.grey[split].mean == pytest.approx(pixels.mean(), abs=0.001)
        assert told.grey[split].std == pytest.approx(pixels.std(), abs=0.001)


def test_a_split_that_is_gone_is_brought_back_from_git_and_not_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_leaky_set(tmp_path)
    splits = tmp_path / "research" / "splits"
    monkeypatch.chdir(tmp_path)
    catalog = select(tmp_path / "data", splits, "leaky", "clean", None).catalog
    file = split_file.split_file(splits, "leaky", "grouped")
    file.parent.mkdir(parents=True)
    file.write_text(split_file.as_text(catalog, make(catalog, "grouped")))
    began = describe(select(tmp_path / "data", splits, "leaky", "grouped", None), tmp_path)
    assert same_data("run", began, tmp_path / "data", splits).sha256 == began.split_sha256
    file.unlink()

    with pytest.raises(DataError) as failure:
        same_data("run", began, tmp_path / "data", splits)

    assert failure.value.lines() == [
        "DataError: run: research/splits/leaky/grouped.txt, the split that it began with, is gone -> "
        "bring the old file back (git log -- research/splits/leaky), or train anew"
    ]
