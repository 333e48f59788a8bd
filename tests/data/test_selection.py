"""What a run may see, of real files."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ctexp.core.classes import CLASSES
from ctexp.core.errors import DataError, UsageError
from ctexp.data import catalog as catalogs
from ctexp.data.intake.importer import import_dataset
from ctexp.data.selection import Selection, select
from ctexp.data.splits import split_file
from ctexp.data.splits.schemes import make
from tests.leaky import COPIES, add_leaky_set
from tests.project import add_tiny_set


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    add_leaky_set(folder)
    add_tiny_set(folder)
    return folder


def selected(project: Path, scheme: str, fold: int | None = None, name: str = "leaky") -> Selection:
    return select(project / "data", project / "splits", name, scheme, fold)


def split(project: Path, scheme: str, folds: int = 5) -> Path:
    """Write a split file."""
    catalog = catalogs.load(project / "data", "leaky")
    file = split_file.split_file(project / "splits", "leaky", scheme)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(split_file.as_text(catalog, make(catalog, scheme, folds=folds)))
    return file


def test_auto_is_clean_where_official_leaks_and_says_so_in_one_line(project: Path) -> None:
    chosen = selected(project, "auto")

    assert chosen.scheme == "clean"
    assert chosen.notes == (
        f"data.split=auto: {COPIES} images of test left out, copies of training images; the clean scheme is "
        "used (data.split=official keeps them)",
    )
    assert chosen.left_out() == {"test": COPIES}
    assert chosen.counts()["test"]["normal"] == 12 - COPIES
    named = selected(project, "clean")
    assert (named.sha256, named.rows, named.notes) == (chosen.sha256, chosen.rows, ())


def test_auto_is_official_where_nothing_leaks(project: Path) -> None:
    chosen = selected(project, "auto", name="tiny")

    assert (chosen.scheme, chosen.notes, chosen.left_out()) == ("official", (), {})
    assert not any("copies" in warning for warning in chosen.warnings)


def test_official_that_is_named_is_whole_and_carries_the_warning(project: Path) -> None:
    chosen = selected(project, "official")

    assert chosen.counts()["test"]["normal"] == 12
    assert chosen.leaks[0] == (
        f"official split: {COPIES} of 48 test images are copies of training images; figures on them flatter"
    )


def test_the_folds_cover_every_image_once(project: Path) -> None:
    split(project, "kfold")

    folds = [selected(project, "kfold", fold) for fold in range(5)]

    catalog = folds[0].catalog
    counts = Counter(row.image_id for fold in folds for row in fold.rows["val"])
    assert counts == {row.image_id: 1 for row in catalog.rows}
    for fold in folds:
        groups = {part: {row.group for row in rows} for part, rows in fold.rows.items()}
        assert not groups["train"] & groups["val"]
        assert len(fold.rows["train"]) + len(fold.rows["val"]) == len(catalog.rows)
    assert len({fold.sha256 for fold in folds}) == 1


def test_a_fold_that_is_not_there_is_refused_with_those_that_are(project: Path) -> None:
    file = split(project, "kfold")

    with pytest.raises(UsageError, match=f"data.fold=5: {file} has the folds 0 to 4"):
        selected(project, "kfold", 5)


def test_auto_never_trains_on_a_clean_or_official_that_the_catalog_does_not_say(tmp_path: Path) -> None:
    add_leaky_set(tmp_path)
    file = split(tmp_path, "clean")
    before = selected(tmp_path, "auto")
    file.write_text(file.read_text().replace("left_out\ttest/normal/00.png", "test\ttest/normal/00.png"))

    with pytest.raises(DataError, match="differs from what the catalog says") as failure:
        selected(tmp_path, "auto")

    assert failure.value.hint == "make it anew: scripts/inv data-split --dataset leaky --scheme clean"
    file.unlink()
    assert selected(tmp_path, "auto").sha256 == before.sha256


def test_an_official_file_from_before_the_patients_were_known_is_refused(tmp_path: Path) -> None:
    """The set came without splits, and was divided anew when its patients became known."""
    source = tmp_path / "source"
    rng = np.random.default_rng(3)
    lines = ["image,patient"]
    for name in CLASSES:
        (source / name).mkdir(parents=True)
        for number in range(20):
            grey = rng.integers(0, 256, (20, 24), dtype=np.uint8)
            Image.fromarray(grey).save(source / name / f"{number:02d}.png")
            lines.append(f"{name}/{number:02d}.png,{name} {number % 5}")
    import_dataset(source, "leaky", tmp_path / "data", seed=1)
    split(tmp_path, "official")
    stale = selected(tmp_path, "auto")
    (tmp_path / "patients.csv").write_text("\n".join(lines))

    import_dataset(source, "leaky", tmp_path / "data", seed=1, table=tmp_path / "patients.csv")

    with pytest.raises(DataError, match=r"official.txt: differs from what the catalog says"):
        selected(tmp_path, "auto")
    split(tmp_path, "official")
    chosen = selected(tmp_path, "auto")
    people = {part: {row.group for row in rows} for part, rows in chosen.rows.items()}
    assert not people["train"] & people["test"]
    assert chosen.sha256 != stale.sha256


def test_a_flipped_byte_anywhere_is_named_and_what_is_left_out_is_not_looked_at(tmp_path: Path) -> None:
    add_leaky_set(tmp_path)
    raw = tmp_path / "data" / "raw" / "leaky"
    for name in ("train/normal/05.png", "test/normal/11.png", "test/normal/00.png"):
        content = bytearray((raw / name).read_bytes())
        content[-30] ^= 1
        (raw / name).write_bytes(content)

    with pytest.raises(DataError) as failure:
        selected(tmp_path, "auto")

    named = [raw / "train/normal/05.png", raw / "test/normal/11.png"]
    assert failure.value.problems == tuple(
        f"{file}: its content differs from what was imported" for file in named
    )


def test_an_unknown_scheme_is_refused(project: Path) -> None:
    with pytest.raises(UsageError) as failure:
        selected(project, "autto")
    assert failure.value.hint == "did you mean 'auto'?"
