from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ctexp.data.selection import select
from ctexp.training.dataset import describe
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
