import json
from pathlib import Path

import numpy as np
import pytest

from ctexp.core import files
from ctexp.core.errors import UsageError
from ctexp.research.runner import saving
from ctexp.research.runner.saving import Results
from tests.research.runner.desks import Said


def results(root: Path) -> Results:
    return Results(root / "saved", Path("research/results/noise/artifacts/spread"), Said())


def test_what_is_saved_is_named_with_its_hash(tmp_path: Path) -> None:
    its = results(tmp_path)
    path = its.save_artifact("curve.csv", "a,b\n1,2\n")
    its.save_json_artifact("table", {"values": np.array([1.0, 2.0])})
    curve, table = its.saved
    assert path.read_text() == "a,b\n1,2\n"
    assert curve.file == "research/results/noise/artifacts/spread/curve.csv"
    assert (curve.sha256, curve.bytes) == (files.sha256_file(path), 8)
    assert json.loads(path.with_name("table.json").read_text()) == {"values": [1.0, 2.0]}
    assert table.name == "table.json"


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "/etc/passwd", "a\0b", "x" * 101, "ü.txt"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    its = results(tmp_path)
    with pytest.raises(UsageError, match="no name for a file here"):
        its.save_artifact(name, b"1")
    assert not its.saved
    assert not list(tmp_path.rglob("*"))


def test_a_file_too_large_is_refused_and_nothing_of_it_is_left(tmp_path: Path) -> None:
    its = results(tmp_path)
    with pytest.raises(UsageError, match=r"big\.bin: 10\.0 MB, and one may take 10\.0 MB"):
        its.save_artifact("big.bin", bytes(saving.FILE_BYTES + 1))
    assert not list(tmp_path.rglob("*"))


def test_all_files_together_are_capped_and_replacing_one_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "ALL_BYTES", 100)
    its = results(tmp_path)
    for _ in range(3):
        its.save_artifact("a", bytes(60))
    with pytest.raises(UsageError, match="all of one may take"):
        its.save_artifact("b", bytes(60))
    assert [one.name for one in its.saved] == ["a"]


def test_an_object_is_no_artifact(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="bytes are expected, got list"):
        results(tmp_path).save_artifact("x", [1])  # type: ignore[arg-type]
