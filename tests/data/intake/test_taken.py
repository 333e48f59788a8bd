"""Importing again under the same name: the same, the same with more known of it, or something else."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ctexp.core.classes import CLASSES
from ctexp.core.errors import DataError
from ctexp.data import catalog
from ctexp.data.intake.import_report import ImportReport
from ctexp.data.intake.importer import import_dataset
from tests.data.sets import noise, small_set


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return small_set(tmp_path / "set")


def written(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text)
    return folder / name


def again(
    source: Path,
    data_dir: Path,
    seed: int = 1,
    *,
    table: Path | None = None,
    exclude: Path | None = None,
    window: str | None = None,
) -> ImportReport:
    return import_dataset(source, "chest", data_dir, seed, table=table, exclude=exclude, window=window)


def meta(report: ImportReport) -> dict[str, dict[str, str]]:
    return {row.image_id: dict(row.meta) for row in report.catalog.rows if row.meta}


def test_a_table_brings_the_catalog_up_to_date(source: Path, tmp_path: Path) -> None:
    first = again(source, tmp_path)
    images = {path: path.stat().st_mtime_ns for path in first.catalog.raw.rglob("*")}
    text = "image,patient\ntrain/normal/0.png,P1\nval/normal/0.png,P1\n"

    second = again(source, tmp_path, table=written(tmp_path, "T.csv", text))
    third = again(source, tmp_path, table=tmp_path / "T.csv")

    assert (second.outcome, third.outcome) == ("updated", "unchanged")
    assert second.notes[0] == "the catalog says other than before: group of 1, patient of 2 of 24 images"
    assert second.catalog == third.catalog == catalog.load(tmp_path, "chest")
    assert meta(second) == {"train/normal/0.png": {"patient": "P1"}, "val/normal/0.png": {"patient": "P1"}}
    of_patient = {row.group for row in second.catalog.rows if row.meta}
    assert len(of_patient) == 1
    assert len({row.group for row in second.catalog.rows}) == 23
    assert second.catalog.fingerprint == first.catalog.fingerprint
    assert {path: path.stat().st_mtime_ns for path in first.catalog.raw.rglob("*")} == images


def test_exclusions_bring_the_catalog_up_to_date_and_may_be_taken_back(source: Path, tmp_path: Path) -> None:
    again(source, tmp_path)

    excluded = again(source, tmp_path, exclude=written(tmp_path, "skip.txt", "train/normal/0.png\n"))
    back = again(source, tmp_path, exclude=written(tmp_path, "skip.txt", "# none\n"))

    assert excluded.outcome == back.outcome == "updated"
    assert [row.image_id for row in excluded.catalog.rows if row.excluded] == ["train/normal/0.png"]
    assert excluded.counts["train"]["normal"] == 1
    assert not any(row.excluded for row in back.catalog.rows)


def test_what_is_known_is_not_lost_by_a_forgotten_flag(source: Path, tmp_path: Path) -> None:
    table = written(tmp_path, "T.csv", "image,patient,age\ntrain/normal/0.png,P1,63\n")
    skip = written(tmp_path, "skip.txt", "train/normal/0.png\n")
    first = again(source, tmp_path, table=table, exclude=skip)

    with pytest.raises(DataError) as failure:
        again(source, tmp_path)

    assert failure.value.problems == (
        "data set 'chest' knows age, patient from a table not given now",
        "data set 'chest' leaves out 1 of 24 images by a list not given now",
    )
    assert catalog.load(tmp_path, "chest") == first.catalog
    fewer = written(tmp_path, "S.csv", "image,patient\ntrain/normal/0.png,P1\n")
    with pytest.raises(DataError, match="knows age, which the table given now does not bring") as failure:
        again(source, tmp_path, table=fewer, exclude=skip)
    assert failure.value.hint == "give --metadata with age (empty cells take back), or move the set away"
    assert catalog.load(tmp_path, "chest") == first.catalog
    shorter = written(tmp_path, "S.csv", "image,patient,age\ntrain/normal/0.png,P1,\n")
    assert meta(again(source, tmp_path, table=shorter, exclude=skip)) == {
        "train/normal/0.png": {"patient": "P1"}
    }


def test_nothing_is_lost_by_a_folder_that_is_gone(source: Path, tmp_path: Path) -> None:
    table = written(tmp_path, "T.csv", "image,patient\ntrain/normal/0.png,P1\n")
    skip = written(tmp_path, "skip.txt", "train/normal/0.png\n")
    first = again(source, tmp_path, table=table, exclude=skip)
    shutil.rmtree(first.catalog.raw)

    with pytest.raises(DataError, match=r"knows patient from a table not given now; .* leaves out 1 of 24"):
        again(source, tmp_path)
    with pytest.raises(DataError, match="exists with other content"):
        again(small_set(tmp_path / "other", 3), tmp_path, table=table, exclude=skip)
    assert not first.catalog.raw.exists()
    assert again(source, tmp_path, table=table, exclude=skip).outcome == "imported"
    assert catalog.load(tmp_path, "chest") == first.catalog


def test_missing_and_changed_files_are_restored_by_the_same_import(source: Path, tmp_path: Path) -> None:
    first = again(source, tmp_path)
    gone, other, torn = (first.catalog.raw / first.catalog.rows[place].path for place in (0, 5, 9))
    gone.unlink()
    other.write_bytes(bytes(other.stat().st_size))  # of the same size
    torn.write_bytes(b"")

    second = again(source, tmp_path)

    assert (second.outcome, second.catalog) == ("restored", first.catalog)
    ids = ", ".join(first.catalog.rows[place].image_id for place in (0, 5, 9))
    assert second.notes[0] == f"restored 3 files: {ids}"
    first.catalog.verify_files(first.catalog.rows, full=True)
    assert again(source, tmp_path).outcome == "unchanged"


def test_a_catalog_that_cannot_be_read_is_to_be_moved_away(source: Path, tmp_path: Path) -> None:
    made = again(source, tmp_path).catalog
    made.file.write_bytes(b"torn")

    with pytest.raises(DataError, match="not a parquet file") as failure:
        again(source, tmp_path)

    assert failure.value.hint.startswith(f"move {made.file} and {made.raw} away, then import the set anew")


def test_another_window_is_another_set(source: Path, tmp_path: Path) -> None:
    deep = np.random.default_rng(4).integers(0, 4096, (40, 48), dtype=np.uint16)
    Image.fromarray(deep).save(source / "train" / "normal" / "deep.png")
    first = again(source, tmp_path, window="2048,4096")

    with pytest.raises(DataError, match="windowed differently: 2048,4096 there, 1024,2048 here"):
        again(source, tmp_path, window="1024,2048")

    assert catalog.load(tmp_path, "chest") == first.catalog
    assert again(source, tmp_path, window="2048.0,4096").outcome == "unchanged"


def test_a_set_divided_here_is_divided_anew_once_patients_are_known(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    source = tmp_path / "unsplit"
    lines = ["image,patient"]
    for name in CLASSES:
        (source / name).mkdir(parents=True)
        for number in range(20):
            Image.fromarray(noise(rng)).save(source / name / f"{number}.png")
            lines.append(f"{name}/{number}.png,{name}-{number % 5}")
    first = again(source, tmp_path, 7)
    table = written(tmp_path, "T.csv", "\n".join(lines))

    with pytest.raises(DataError, match="split differently"):
        again(source, tmp_path, 8, table=table)
    second = again(source, tmp_path, 7, table=table)

    assert second.outcome == "updated"
    assert "split of " in second.notes[0]
    sides = {(row.meta["patient"], row.split) for row in second.catalog.rows}
    assert len(sides) == len({patient for patient, _ in sides}) == 20
    assert len({row.split for row in second.catalog.rows}) == 3
    assert again(source, tmp_path, 7, table=table).outcome == "unchanged"
    assert first.catalog.fingerprint == second.catalog.fingerprint
