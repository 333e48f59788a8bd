"""The catalog as a Delta table: real tables, read back by deltalake."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import deltalake
import pyarrow.parquet as pq
import pytest

from ctexp.core.errors import Busy, PreflightError, UsageError
from ctexp.data import catalog as catalogs
from ctexp.data.catalog import Catalog
from ctexp.data.versions import delta
from ctexp.data.versions.delta import CATALOG, Kept, keep
from tests.project import add_tiny_set


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    project = tmp_path_factory.mktemp("project")
    add_tiny_set(project, train=8, val=8)
    return catalogs.load(project / "data", "tiny")


def written(folder: Path, catalog: Catalog, name: str = "tiny", **meta: str) -> Catalog:
    """The catalog with one more thing known of every image."""
    return catalogs.write(folder, name, [replace(row, meta=meta) for row in catalog.rows])


def test_each_change_of_the_catalog_is_a_version_and_all_can_be_read_back(
    tmp_path: Path, catalog: Catalog
) -> None:
    table = str(tmp_path / "table")
    first, second = written(tmp_path, catalog), pq.read_table(catalog.file)
    assert keep(first, table) == Kept(0, is_new=True)
    assert keep(first, table) == Kept(0, is_new=False)
    other = written(tmp_path, catalog, patient="0 7", **{"scanner.model": "x"})
    assert keep(other, table) == Kept(1, is_new=True)
    back = written(tmp_path, catalog)
    assert keep(back, table) == Kept(2, is_new=True)

    # Which version a run has used: the one whose catalog its manifest names.
    history = {commit["version"]: commit[CATALOG] for commit in deltalake.DeltaTable(table).history()}
    assert history == {0: catalog.sha256, 1: other.sha256, 2: catalog.sha256}
    assert deltalake.DeltaTable(table, version=0).to_pyarrow_table().equals(second)
    assert (
        deltalake.DeltaTable(table, version=1)
        .to_pyarrow_table()
        .equals(pq.read_table(_changed(other, tmp_path)))
    )


def _changed(other: Catalog, folder: Path) -> Path:
    again = catalogs.write(folder / "again", "tiny", other.rows)
    assert again.sha256 == other.sha256
    return again.file


def test_tables_of_others_are_not_overwritten(tmp_path: Path, catalog: Catalog) -> None:
    table = str(tmp_path / "table")
    keep(catalog, table)
    with pytest.raises(UsageError, match="the table of data set 'tiny'; it would be overwritten"):
        keep(written(tmp_path, catalog, "ward7"), table)

    theirs = str(tmp_path / "theirs")
    deltalake.write_deltalake(theirs, pq.read_table(catalog.file))
    with pytest.raises(UsageError, match="a table of somebody else; it would be overwritten"):
        keep(catalog, theirs)
    assert deltalake.DeltaTable(theirs).version() == 0


def test_of_two_who_write_at_once_the_second_is_told(
    tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = str(tmp_path / "table")
    keep(catalog, table)
    seen = delta._newest

    def overtaken(where: str) -> Any:
        found = seen(where)
        monkeypatch.setattr(delta, "_newest", seen)
        keep(written(tmp_path / "theirs", catalog, patient="theirs"), where)
        return found

    monkeypatch.setattr(delta, "_newest", overtaken)
    with pytest.raises(Busy, match="somebody else has written it meanwhile"):
        keep(written(tmp_path / "ours", catalog, patient="ours"), table)
    assert deltalake.DeltaTable(table).to_pyarrow_table()["meta.patient"].to_pylist()[0] == "theirs"


def test_a_place_that_cannot_be_used_is_one_line(tmp_path: Path, catalog: Catalog) -> None:
    (tmp_path / "file").write_text("in the way")
    for place in (str(tmp_path / "file" / "table"), "what://ever/it/is"):
        with pytest.raises(PreflightError, match="the Delta table cannot be used: ") as failure:
            keep(catalog, place)
        assert len(failure.value.problems) == 1
        assert "\n" not in failure.value.problems[0]


def test_a_folder_with_other_files_gets_no_table_between_them(tmp_path: Path, catalog: Catalog) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    for place in (str(tmp_path), tmp_path.as_uri()):
        with pytest.raises(UsageError, match="holds files, and no Delta table"):
            keep(catalog, place)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    (tmp_path / "empty").mkdir()
    assert keep(catalog, str(tmp_path / "empty")).is_new


def test_a_store_without_credentials_names_the_variables(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    with pytest.raises(PreflightError, match="there are no credentials for it") as failure:
        keep(catalog, "s3://bucket/table")
    assert failure.value.hint == "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    assert capfd.readouterr().err == ""
