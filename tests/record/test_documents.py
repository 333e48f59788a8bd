import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from ctexp.core.errors import DataError
from ctexp.record.documents import is_newer
from ctexp.record.manifest import Attempt, Manifest
from ctexp.record.result import Measurement, Result
from tests.record import samples

ID = "resnet50_20261121-050417_ab2cd3"


@pytest.mark.parametrize(
    "document",
    [samples.manifest(ID), samples.attempt(ID), samples.ended(samples.attempt(ID)), samples.result(ID)],
)
def test_what_is_written_is_read_back_equal(document: Manifest | Attempt | Result, tmp_path: Path) -> None:
    document.write(tmp_path / "it.json")
    assert type(document).read(tmp_path / "it.json") == document


def test_an_unknown_field_is_refused_by_name() -> None:
    with pytest.raises(ValidationError, match="learning_rate"):
        samples.manifest(ID, learning_rate=0.1)


def test_a_number_that_json_cannot_hold_is_refused() -> None:
    with pytest.raises(ValidationError, match="finite"):
        Measurement(value=float("nan"))


def test_bytes_that_are_no_utf8_stay_visible(tmp_path: Path) -> None:
    odd = b"caf\xe9".decode("utf-8", "surrogateescape")
    samples.manifest(ID, argv=("inv", odd)).write(tmp_path / "manifest.json")
    assert Manifest.read(tmp_path / "manifest.json").argv == ("inv", r"caf\udce9")


def test_a_newer_record_is_told_from_a_damaged_one(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    newer = samples.manifest(ID).document() | {"schema_version": 2, "unheard_of": 1}
    path.write_text(json.dumps(newer))
    with pytest.raises(DataError, match="newer ctexp") as caught:
        Manifest.read(path)
    assert "update ctexp" in caught.value.hint
    assert is_newer(path)


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 100, b"{}", b"[1]", b'{"schema_version": "2"}', b"\xff\xfe", b"[" * 9999]
)
def test_damage_is_one_error_that_names_the_file(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"result\.json"):
        Result.read(path)
    assert not is_newer(path)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(json.dumps(samples.result(ID).document() | {"epochs": -1, "state": "done"}))
    with pytest.raises(DataError) as caught:
        Result.read(path)
    told = "\n".join(caught.value.problems)
    assert "epochs" in told
    assert "state" in told


def test_a_missing_document_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        Result.read(tmp_path / "result.json")
