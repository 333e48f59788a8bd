"""What a study knows of its images: from the catalog while it is the same, else from what runs noted."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ctexp.core import files
from ctexp.core.classes import CLASSES
from ctexp.data import catalog as catalogs
from ctexp.data.catalog import Catalog
from ctexp.data.splits import schemes, split_file
from ctexp.planning.study import data
from ctexp.planning.study.sets import ImageSet
from tests import judged, leaky
from tests.planning.study.projects import a_run, in_order, project, read


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with a data set whose test split holds copies of training images."""
    root = project(tmp_path_factory.mktemp("project"))
    with in_order():
        leaky.add_leaky_set(root)
        yield root


@pytest.fixture
def catalog(root: Path) -> Catalog:
    return catalogs.load(root / "data", "leaky")


def trained(root: Path, catalog: Catalog, scheme: str, **changes: object) -> data.DataFacts:
    """The facts of a study of a training on a split of the data set."""
    _, sha256 = split_file.find(root / "research" / "splits", catalog, scheme)
    its = {"name": "leaky", "catalog_sha256": catalog.sha256, "split": scheme, "split_sha256": sha256}
    run = a_run(root, scheme, 1, dataset=judged.dataset(**its | changes))
    found = read(root, run.id).data
    assert found is not None
    return found


def test_rows_groups_leaks_and_sizes_are_those_of_the_split(root: Path, catalog: Catalog) -> None:
    facts = trained(root, catalog, "official")
    assert facts.rows["train"] == dict.fromkeys(CLASSES, 11)
    assert facts.rows["test"] == dict.fromkeys(CLASSES, 12)
    assert facts.groups["test"]["normal"] == 12 - leaky.COPIES + 3
    assert (facts.leaks, facts.leaks_known, facts.median_size) == ({"test": leaky.COPIES}, True, (24, 20))
    assert facts.source.endswith("leaky.parquet")


def test_a_clean_split_has_no_leaks(root: Path, catalog: Catalog) -> None:
    facts = trained(root, catalog, "clean")
    assert (facts.leaks, facts.leaks_known) == ({}, True)
    assert facts.rows["test"]["normal"] == 12 - leaky.COPIES


def test_folds_together_judge_every_image(root: Path, catalog: Catalog) -> None:
    split = schemes.make(catalog, "kfold", folds=3)
    file = split_file.split_file(root / "research" / "splits", "leaky", "kfold")
    files.write_text(file, split_file.as_text(catalog, split))
    fold = trained(root, catalog, "kfold", fold=1)
    assert sum(fold.rows["val"].values()) + sum(fold.rows["train"].values()) == len(catalog.rows)
    images = ImageSet(
        "leaky", catalog.sha256, "kfold", split_file.find(file.parent.parent, catalog, "kfold")[1], None, None
    )
    whole = data.of_set(root, root / "data", images, [])
    assert whole is not None
    assert sum(whole.rows["val"].values()) == len(catalog.rows)
    assert whole.leaks == {}


def test_where_the_images_moved_on_the_run_says_what_they_were(root: Path, catalog: Catalog) -> None:
    lines = (
        "official split: 9 of 1,048 test images are copies of training images; figures on them flatter",
        "official split: 1,002 of 1,048 val images are copies of training images or show the same patients; "
        "figures on them flatter",
        "official split: 3 of 1,048 test images are copies of validation images; figures on them flatter",
    )
    facts = trained(root, catalog, "official", catalog_sha256="1" * 64, leaks=lines)
    assert facts.rows["val"] == dict.fromkeys(CLASSES, 20)
    assert (facts.leaks, facts.leaks_known, facts.median_size) == ({"test": 9, "val": 1002}, True, None)
    assert facts.source.startswith("official_")
    older = trained(root, catalog, "official", catalog_sha256="1" * 64, leaks=None)
    assert (older.leaks, older.leaks_known) == ({}, False)


def test_a_shortcut_is_told_where_the_audit_is_of_these_images(root: Path, catalog: Catalog) -> None:
    told = "metadata alone tell the class (95 % intervals): class right in 81 % (74 to 87 %)"
    statements = [
        {"topic": "leaks", "level": "alarm", "text": "leaks", "meaning": ""},
        {"topic": "shortcuts", "level": "alarm", "text": told, "meaning": ""},
    ]
    audit = root / "data" / "audit" / "leaky" / "audit.json"
    audit.parent.mkdir(parents=True)
    files.write_json(audit, {"catalog_sha256": catalog.sha256, "statements": statements})
    assert trained(root, catalog, "official").shortcut == told
    assert trained(root, catalog, "official", catalog_sha256="1" * 64).shortcut == ""
    statements[1]["level"] = "fine"
    files.write_json(audit, {"catalog_sha256": catalog.sha256, "statements": statements})
    assert trained(root, catalog, "official").shortcut == ""


def test_before_the_first_training_the_images_are_as_delivered(root: Path) -> None:
    facts = data.of_catalog(root / "data", "leaky")
    assert facts is not None
    assert (facts.rows["train"]["normal"], facts.leaks) == (11, {"test": leaky.COPIES})
    assert data.of_catalog(root / "data", "nothing") is None
