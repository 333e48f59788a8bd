"""The recorded data: what is here is hashed, what changed is named, what is nowhere is exit 3."""

from dataclasses import replace
from pathlib import Path

import pytest

from ctexp.core import files
from ctexp.core.errors import DataError
from ctexp.data import catalog as catalogs
from ctexp.reproduction.beside import Changed
from ctexp.reproduction.images import Provided, provide
from ctexp.reproduction.recorded import Recorded
from tests.judged import dataset
from tests.project import add_tiny_set
from tests.reproduction.records import a_recorded, flip


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    add_tiny_set(root)
    return root


def of(project: Path, **changes: object) -> Recorded:
    sha256 = files.sha256_file(project / "data/raw/tiny.parquet")
    its = dataset(**{"name": "tiny", "catalog_sha256": sha256} | changes)
    return a_recorded(project / "runs", dataset=its)


def provided(run: Recorded, project: Path) -> Provided:
    source = project.parent / "source"
    source.mkdir(exist_ok=True)
    return provide(run, project, [project / "nowhere", project / "data"], source, None)


def changed(run: Recorded, project: Path) -> list[tuple[str, str | None]]:
    with pytest.raises(Changed) as failure:
        provided(run, project)
    return [(one.what, one.found) for one in failure.value.differences if one.counts]


def test_images_that_are_the_recorded_ones_are_taken_where_they_lie(project: Path) -> None:
    found = provided(of(project), project)
    assert (found.folder, found.images.origin, found.notes) == (project / "data", "here", ())


def test_every_changed_image_is_named(project: Path) -> None:
    run = of(project)
    catalog = catalogs.load(project / "data", "tiny")
    one, two = catalog.rows[0].path, catalog.rows[7].path
    flip(catalog.raw / one)
    (catalog.raw / two).unlink()
    assert changed(run, project) == [
        (f"image {one}", "its content differs from what was imported"),
        (f"image {two}", "no such file or directory"),
    ]


def test_another_catalog_is_named_by_both_hashes(project: Path) -> None:
    run = of(project)
    rows = list(catalogs.load(project / "data", "tiny").rows)
    catalogs.write(project / "data", "tiny", [replace(rows[0], excluded=True), *rows[1:]])
    ((what, found),) = changed(run, project)
    assert what == "the catalog of tiny"
    assert found is not None
    assert found.startswith("sha256 ")


def test_data_that_are_nowhere_are_exit_3_with_the_way_to_them(project: Path) -> None:
    run = of(project)
    (project / "data/raw/tiny.parquet").rename(project / "away")
    with pytest.raises(DataError) as failure:
        provided(run, project)
    assert failure.value.problems[0] == "the catalog of tiny: not here"
    assert "cannot come from DVC" in failure.value.problems[1]
    assert "inv data-import" in failure.value.hint


def test_a_split_that_was_not_committed_comes_from_here_if_it_still_is_the_one(project: Path) -> None:
    file = project / "research/splits/tiny/grouped.txt"
    file.parent.mkdir(parents=True)
    file.write_text("the split\n")
    run = of(project, split="grouped", split_sha256=files.sha256_file(file))
    provided(run, project)
    assert (project.parent / "source/research/splits/tiny/grouped.txt").read_text() == "the split\n"

    file.write_text("another\n")
    provided(run, project)  # the source has it by now
    (project.parent / "source/research/splits/tiny/grouped.txt").unlink()
    assert changed(run, project) == [("research/splits/tiny/grouped.txt", "another, or none")]
