"""Which sweep a word means."""

from pathlib import Path

import pytest

from ctexp.core.errors import DataError, UsageError
from ctexp.record.sweep import SweepDir

COARSE, AGAIN, FINE = (
    "lr_wd_20261121-200000_aaaaaa",
    "lr_wd_20261121-210000_bbbbbb",
    "lr_wd_fine_20261121-220000_cccccc",
)


@pytest.mark.parametrize(
    ("word", "sweep"),
    [
        ("lr_wd", AGAIN),  # its name, not the beginning of the finer one's
        ("lr_wd_fine", FINE),
        ("lr_wd_f", FINE),
        ("lr_wd_20261121-20", COARSE),
        (COARSE, COARSE),
        ("latest", FINE),
    ],
)
def test_a_name_is_its_newest_sweep_and_comes_before_the_beginning_of_an_id(
    tmp_path: Path, word: str, sweep: str
) -> None:
    for name in (COARSE, AGAIN, FINE):
        (tmp_path / "sweeps" / name).mkdir(parents=True)
    assert SweepDir.find(tmp_path, word).id == sweep


def test_what_means_several_or_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no sweeps yet"):
        SweepDir.find(tmp_path, "latest")
    for name in (COARSE, AGAIN, FINE):
        (tmp_path / "sweeps" / name).mkdir(parents=True)
    with pytest.raises(UsageError, match="'lr_wd_2026' means 2 sweeps: "):
        SweepDir.find(tmp_path, "lr_wd_2026")
    with pytest.raises(DataError) as none:
        SweepDir.find(tmp_path, "lr_wt")
    assert none.value.hint == "did you mean 'lr_wd'?"
    with pytest.raises(DataError):
        SweepDir.find(tmp_path, "")
