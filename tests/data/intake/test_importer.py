import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ctexp.core.classes import CLASSES
from ctexp.core.errors import Busy, DataError, StorageError, UsageError
from ctexp.core.locks import FileLock
from ctexp.data import catalog
from ctexp.data.images import decode
from ctexp.data.intake.importer import import_dataset
from ctexp.data.phantom.dataset import generate
from tests.data.dicoms import bundled, encoded, slice_
from tests.full_disk import largest_file
from tests.kaggle import COUNTS, LONG_NAMES, SHORT_NAMES, build_kaggle_tree


@pytest.fixture(scope="module")
def kaggle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Kaggle-shaped tree of about 40 images; tests that change it copy it first."""
    folder = tmp_path_factory.mktemp("kaggle")
    build_kaggle_tree(folder, 0.03, 5)
    return folder


@pytest.fixture
def own(kaggle: Path, tmp_path: Path) -> Path:
    return shutil.copytree(kaggle, tmp_path / "own")


def unsplit(folder: Path, per_class: int = 20) -> Path:
    """Class folders of small distinct images, every fifth there twice."""
    rng = np.random.default_rng(1)
    for name in SHORT_NAMES.values():
        (folder / name).mkdir(parents=True)
        for number in range(per_class):
            file = folder / name / f"{number}.png"
            if number % 5 == 4:
                shutil.copy(folder / name / f"{number - 1}.png", file)
            else:
                Image.fromarray(rng.integers(0, 256, (32, 40), dtype=np.uint8)).save(file)
    return folder


def entries(data_dir: Path) -> set[str]:
    """What an import left in the data folder, but for its lock."""
    return {path.name for path in (data_dir / "raw").iterdir()} - {".import.lock"}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_tree_is_the_same_every_time(tmp_path: Path) -> None:
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        build_kaggle_tree(tmp_path / folder, 0.01, seed)

    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert contents(tmp_path / "a") != contents(tmp_path / "c")


def test_a_kaggle_tree_is_imported_unchanged(kaggle: Path, tmp_path: Path) -> None:
    steps: list[tuple[str, int, int]] = []

    report = import_dataset(kaggle, "chest", tmp_path, 42, lambda *step: steps.append(step))

    raw = tmp_path / "raw" / "chest"
    before = {name.replace("valid/", "val/"): data for name, data in contents(kaggle / "Data").items()}
    assert contents(raw) == before
    assert entries(tmp_path) == {"chest", "chest.parquet"}
    assert report.catalog == catalog.load(tmp_path, "chest")
    for row in report.catalog.rows:
        content = (raw / row.path).read_bytes()
        assert row.image_id == row.path
        assert (row.bytes, row.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        with Image.open(raw / row.path) as image:
            assert (row.width, row.height, row.mode) == (*image.size, image.mode)
        assert not row.excluded
    assert {row.mode for row in report.catalog.rows} == {"RGBA", "RGB", "P", "L"}
    total = len(before)
    assert steps[0] == ("check", 1, total)
    assert steps[-1] == ("copy", total, total)


def test_the_report_counts_what_an_independent_count_finds(kaggle: Path, tmp_path: Path) -> None:
    report = import_dataset(kaggle, "chest", tmp_path, 42).as_dict()

    classes = {folder: name for names in (LONG_NAMES, SHORT_NAMES) for name, folder in names.items()}
    counts: Counter[tuple[str, str]] = Counter()
    for name in contents(kaggle / "Data"):
        split, folder, _ = name.split("/")
        counts[split, classes[folder]] += 1

    for split in COUNTS:
        of_split = report["counts"]["val" if split == "valid" else split]
        assert of_split == {name: counts[split, name] for name in of_split}
    assert report["images"] == sum(counts.values())
    assert json.loads(json.dumps(report)) == report


def test_identical_bytes_are_one_group(kaggle: Path, tmp_path: Path) -> None:
    rows = import_dataset(kaggle, "chest", tmp_path, 42).catalog.rows

    assert len({row.group for row in rows}) == len({row.sha256 for row in rows}) < len(rows)
    assert len({(row.group, row.sha256) for row in rows}) == len({row.group for row in rows})


def test_a_zip_is_as_good_as_its_folder(own: Path, tmp_path: Path) -> None:
    (own / "Data" / "train" / ".DS_Store").touch()
    shutil.make_archive(str(tmp_path / "archive"), "zip", own)

    zipped = import_dataset(tmp_path / "archive.zip", "chest", tmp_path / "a", 42)
    plain = import_dataset(own, "chest", tmp_path / "b", 42)

    assert zipped.catalog.rows == plain.catalog.rows
    assert zipped.catalog.sha256 == plain.catalog.sha256
    assert zipped.ignored == plain.ignored == ("Data/train/.DS_Store",)
    assert contents(zipped.catalog.raw) == contents(plain.catalog.raw)
    assert entries(tmp_path / "a") == {"chest", "chest.parquet"}


def test_an_unsplit_set_is_divided_with_copies_on_one_side(tmp_path: Path) -> None:
    source = unsplit(tmp_path / "source")

    report = import_dataset(source, "few", tmp_path / "a", 7)
    same = import_dataset(source, "few", tmp_path / "b", 7)
    other = import_dataset(source, "few", tmp_path / "c", 8)

    assert report.split_seed == 7
    assert report.catalog.rows == same.catalog.rows
    assert [row.split for row in report.catalog.rows] != [row.split for row in other.catalog.rows]
    sides: dict[str, set[str]] = defaultdict(set)
    for row in report.catalog.rows:
        sides[row.sha256].add(row.split)
    assert len(sides) == 64
    assert all(len(splits) == 1 for splits in sides.values())
    assert all(counts == {"train": 14, "val": 3, "test": 3} for counts in per_class(report.counts).values())
    assert report.catalog.rows[0].image_id == "adenocarcinoma/0.png"


def per_class(counts: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    return {name: {split: counts[split][name] for split in counts} for name in counts["train"]}


def test_every_bad_image_is_named_and_nothing_is_left(own: Path, tmp_path: Path) -> None:
    train = own / "Data" / "train" / "normal"
    good = next(train.glob("*.png")).read_bytes()
    (train / "truncated.png").write_bytes(good[: len(good) // 2])
    (train / "empty.jpg").touch()
    (train / "page.png").write_text("<html>not found</html>")
    Image.fromarray(np.zeros((4, 4), np.uint16)).save(own / "Data" / "test" / "normal" / "deep.png")

    with pytest.raises(DataError) as failure:
        import_dataset(own, "chest", tmp_path, 42)

    named = {problem.split(":")[0]: problem for problem in failure.value.problems}
    assert set(named) == {
        "train/normal/truncated.png",
        "train/normal/empty.jpg",
        "train/normal/page.png",
        "test/normal/deep.png",
    }
    assert "16 bits a channel" in named["test/normal/deep.png"]
    assert entries(tmp_path) == set()


def test_a_bad_layout_or_archive_leaves_nothing(own: Path, tmp_path: Path) -> None:
    (own / "Data" / "train" / "benign").mkdir()
    (tmp_path / "page.zip").write_text("<html>not found</html>")
    (tmp_path / "cats.zip").write_bytes(
        Path(shutil.make_archive(str(tmp_path / "c"), "zip", own)).read_bytes()
    )

    (tmp_path / "empty").mkdir()
    shutil.make_archive(str(tmp_path / "nothing"), "zip", tmp_path / "empty")
    for source, why in (
        (own, "benign"),
        (tmp_path / "nothing.zip", "^nothing.zip: no split or class folders"),
        (tmp_path / "page.zip", "not a sound zip file"),
        (tmp_path / "cats.zip", "benign"),
        (tmp_path / "nowhere", "no such folder or zip file"),
    ):
        with pytest.raises(DataError, match=why):
            import_dataset(source, "chest", tmp_path, 42)
        assert not (tmp_path / "raw").exists() or entries(tmp_path) == set()
    with pytest.raises(UsageError):
        import_dataset(own, "../chest", tmp_path, 42)


def test_importing_the_same_again_changes_nothing_and_says_so(kaggle: Path, tmp_path: Path) -> None:
    first = import_dataset(kaggle, "chest", tmp_path, 42)
    before = first.catalog.file.stat().st_mtime_ns

    again = import_dataset(kaggle, "chest", tmp_path, 42)

    assert (first.outcome, again.outcome) == ("imported", "unchanged")
    assert again.catalog == first.catalog
    assert first.catalog.file.stat().st_mtime_ns == before
    assert entries(tmp_path) == {"chest", "chest.parquet"}


def test_a_name_that_is_taken_is_refused_and_kept(own: Path, tmp_path: Path) -> None:
    first = import_dataset(own, "chest", tmp_path, 42)
    before = contents(tmp_path / "raw")
    next((own / "Data" / "train" / "normal").iterdir()).unlink()

    with pytest.raises(DataError, match="'chest' exists with other content") as failure:
        import_dataset(own, "chest", tmp_path, 42)
    assert "another --name" in failure.value.hint
    assert contents(tmp_path / "raw").keys() == before.keys()

    import_dataset(own, "chest2", tmp_path, 42)
    assert catalog.load(tmp_path, "chest") == first.catalog


def test_another_split_of_the_same_images_is_not_the_same_set(tmp_path: Path) -> None:
    source = unsplit(tmp_path / "source")
    import_dataset(source, "few", tmp_path, 7)

    with pytest.raises(DataError, match="the same images, split differently"):
        import_dataset(source, "few", tmp_path, 8)


def test_a_folder_nobody_catalogued_is_not_touched(kaggle: Path, tmp_path: Path) -> None:
    (tmp_path / "raw" / "chest").mkdir(parents=True)
    (tmp_path / "raw" / "chest" / "mine.txt").write_text("precious")

    with pytest.raises(DataError, match="exists, but without a catalog"):
        import_dataset(kaggle, "chest", tmp_path, 42)

    assert contents(tmp_path / "raw" / "chest") == {"mine.txt": b"precious"}
    (tmp_path / "raw" / "linked").symlink_to(tmp_path / "unmounted")
    with pytest.raises(DataError, match="exists, but without a catalog"):
        import_dataset(kaggle, "linked", tmp_path, 42)
    assert not (tmp_path / "raw" / "linked.parquet").exists()


def test_a_catalog_without_its_folder_is_written_anew(kaggle: Path, tmp_path: Path) -> None:
    """A kill between the catalog's rename and the folder's."""
    report = import_dataset(kaggle, "chest", tmp_path, 42)
    shutil.rmtree(report.catalog.raw)

    again = import_dataset(kaggle, "chest", tmp_path, 42)

    assert again.outcome == "imported"
    assert catalog.load(tmp_path, "chest") == report.catalog


def test_ctrl_c_leaves_nothing(kaggle: Path, tmp_path: Path) -> None:
    def interrupt(step: str, done: int, total: int) -> None:
        if step == "copy" and done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_dataset(kaggle, "chest", tmp_path, 42, interrupt)

    assert entries(tmp_path) == set()


KILLED = """
import os, signal, sys
from pathlib import Path
from ctexp.data.intake.importer import import_dataset

def die(step, done, total):
    if step == "copy" and done == total // 2:
        os.kill(os.getpid(), signal.SIGKILL)

import_dataset(Path(sys.argv[1]), "other", Path(sys.argv[2]), 42, die)
"""


def test_what_a_killed_import_left_is_swept_by_the_next(kaggle: Path, tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(kaggle), str(tmp_path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(entries(tmp_path)) == 1
    with pytest.raises(DataError):
        catalog.load(tmp_path, "other")

    import_dataset(kaggle, "chest", tmp_path, 42)

    assert entries(tmp_path) == {"chest", "chest.parquet"}


def test_two_imports_do_not_overlap(kaggle: Path, tmp_path: Path) -> None:
    with (
        FileLock(tmp_path / "raw" / ".import.lock", "another import"),
        pytest.raises(Busy, match=f"pid {os.getpid()}"),
    ):
        import_dataset(kaggle, "chest", tmp_path, 42)


def test_a_full_disk_is_a_storage_error_and_leaves_nothing(kaggle: Path, tmp_path: Path) -> None:
    with largest_file(20_000), pytest.raises(StorageError, match="no space left"):
        import_dataset(kaggle, "chest", tmp_path, 42)

    assert entries(tmp_path) == set()


def test_excluded_and_windowed_images_are_copied_as_they_are(own: Path, tmp_path: Path) -> None:
    train = own / "Data" / "train" / "normal"
    (train / "empty.png").touch()
    (train / "series").mkdir()
    (train / "series" / "CT_small").write_bytes(bundled("CT_small.dcm"))
    skip = tmp_path / "skip.txt"
    skip.write_text("empty.png\n")

    report = import_dataset(own, "chest", tmp_path, 42, window="lung", exclude=skip)

    rows = {row.image_id: row for row in report.catalog.rows}
    empty, ct = rows["train/normal/empty.png"], rows["train/normal/series/CT_small"]
    assert contents(report.catalog.raw).keys() == rows.keys()
    assert (report.catalog.raw / ct.path).read_bytes() == bundled("CT_small.dcm")
    assert (empty.excluded, empty.bytes, empty.width, empty.pixels) == (True, 0, 0, "")
    assert (ct.mode, ct.window, ct.width, ct.meta["patient"]) == ("MONOCHROME2", "-600,1500", 128, "1CT1")
    grey = decode((report.catalog.raw / ct.path).read_bytes(), "a", ct.window)
    assert ct.mean == grey.mean()
    assert report.catalog == catalog.load(tmp_path, "chest")
    assert report.as_dict()["excluded"] == ["train/normal/empty.png"]
    assert (
        report.counts["train"]["normal"]
        == sum(row.split == "train" and row.class_name == "normal" for row in rows.values()) - 1
    )


def test_patients_join_the_groups_and_stay_on_one_side_of_a_division(tmp_path: Path) -> None:
    source = unsplit(tmp_path / "source")
    lines = [
        f"{name}/{number}.png;{name} {number // 4}" for name in SHORT_NAMES.values() for number in range(20)
    ]
    table = tmp_path / "T.csv"
    table.write_text("\n".join(["image;patient", *lines]))

    rows = import_dataset(source, "few", tmp_path, 7, table=table).catalog.rows

    assert len({(row.meta["patient"], row.split) for row in rows}) == 20
    assert len({row.group for row in rows}) == 16  # a copy joins the first two patients of each class


def test_slices_of_one_study_stay_together_whoever_is_named(tmp_path: Path) -> None:
    source = unsplit(tmp_path / "source", 10)
    rng = np.random.default_rng(3)
    for number in range(12):
        stored = rng.integers(0, 2048, (40, 48)).astype(np.int16)
        patient = {0: "P1", 1: "P2"}.get(number)  # contradictory, and missing from the others
        slice_of = slice_(stored, PatientID=patient, StudyInstanceUID="1.2.9")
        (source / "normal" / f"{number}.dcm").write_bytes(encoded(slice_of))

    rows = import_dataset(source, "few", tmp_path, 7, window="lung").catalog.rows

    study = [row for row in rows if row.image_id.endswith(".dcm")]
    assert len(study) == 12
    assert len({row.group for row in study}) == len({row.split for row in study}) == 1


def test_synthetic_images_stay_synthetic_under_another_name(tmp_path: Path) -> None:
    counts = {split: dict.fromkeys(CLASSES, 1) for split in ("train", "valid", "test")}
    generate(tmp_path / "Data", counts, 3)
    first = import_dataset(tmp_path / "Data", "phantom", tmp_path, 42).catalog

    again = import_dataset(first.raw, "patients", tmp_path, 42)
    Image.new("L", (40, 40), 9).save(tmp_path / "Data" / "train" / LONG_NAMES["normal"] / "real.png")
    mixed = import_dataset(tmp_path / "Data", "mixed", tmp_path, 42)

    assert first.synthetic
    assert again.catalog.synthetic
    assert not mixed.catalog.synthetic
    warning = "drawn by a program, although the set is not called synthetic: 12 of 13 images"
    assert warning in mixed.warnings
