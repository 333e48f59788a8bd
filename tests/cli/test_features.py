"""`inv extract-features` through its verb: table, lists, what is told, and what is refused."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from invoke.exceptions import Exit

from ctexp.cli.verb import perform
from ctexp.core import yaml_file
from ctexp.core.files import sha256_file
from ctexp.core.paths import feature_lists_folder, splits_folder
from ctexp.data import catalog as catalogs
from ctexp.data.radiomics.inputs import FeatureInputs
from ctexp.data.selection import select
from tests.leaky import COPIES, COUNTS, add_leaky_set
from tests.project import make_project

TABLE = Path("data/features/leaky.parquet")
LISTS = Path("research/features/leaky.yaml")
IMAGES = 4 * sum(COUNTS.values())
DISTINCT = IMAGES - COPIES


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_project(tmp_path_factory.mktemp("features") / "project")
    add_leaky_set(folder)
    return folder


@pytest.fixture(autouse=True)
def project(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(made)
    monkeypatch.delenv("CTEXP_ROOT", raising=False)
    return made


@pytest.fixture
def broken(project: Path) -> Iterator[list[Path]]:
    """Three images of the set, which the test may damage."""
    files = sorted((project / "data/raw/leaky").rglob("*.png"))[:3]
    contents = [file.read_bytes() for file in files]
    yield files
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content)


def extract(split: str = "auto", **flags: Any) -> None:
    perform("features:extract", {"dataset": "leaky", "split": split, "json": False} | flags, debug=True)


def refused(capsys: pytest.CaptureFixture[str], code: int, **flags: Any) -> list[str]:
    with pytest.raises(Exit) as caught:
        perform("features:extract", {"dataset": "leaky", "split": "auto", "json": False} | flags, debug=False)
    assert caught.value.code == code
    return capsys.readouterr().err.splitlines()


def test_it_tells_what_was_measured_and_what_to_do_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    extract()

    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0] == (
        f"leaky: 50 features of {IMAGES} images, {DISTINCT} measured now, {COPIES} known or copies"
    )
    assert [line.split()[:2] for line in lines[3:8]] == [
        ["intensity", "8"],
        ["glcm", "13"],
        ["shape", "9"],
        ["region", "6"],
        ["wavelet", "14"],
    ]
    assert lines[8].startswith("ranked on 44 of 44 training images (clean split), one of each group: ")
    assert lines[-2:] == [f"table {TABLE}", f"lists {LISTS}"]
    assert "the clean scheme is used" in said.err
    assert f"git add {LISTS}" in said.err
    assert "scripts/inv train model=dual_pathway features=all_features data.name=leaky\n" in said.err


def test_again_it_measures_nothing_and_writes_the_same_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    extract(json=True)
    before = TABLE.read_bytes(), LISTS.read_bytes()
    TABLE.unlink()
    capsys.readouterr()

    extract("clean", json=True)

    document = json.loads(capsys.readouterr().out)
    assert (document["measured"], document["images"], document["milliseconds"]) == (0, IMAGES, {})
    assert (TABLE.read_bytes(), LISTS.read_bytes()) == before
    assert document["table"] == {"file": str(TABLE.absolute()), "sha256": sha256_file(TABLE)}
    assert len(document["columns"]) == 50
    written = yaml_file.read_mapping(LISTS)
    assert document["lists"]["origin"] == written["origin"]
    assert document["lists"]["top_features"] == written["top_features"]


def test_what_it_writes_is_what_training_reads(project: Path) -> None:
    extract()

    selection = select(project / "data", splits_folder(project), "leaky", "clean", None)
    top = yaml_file.read_mapping(LISTS)["top_features"]
    inputs = FeatureInputs.load(project / "data", feature_lists_folder(project), selection, "top_features")

    # the bright square's corner tells the class; its place is seen by shape and regions
    assert inputs.columns == tuple(top)
    assert inputs.values["train"].shape == (44, len(top))
    assert inputs.values["test"].shape == (48 - COPIES, len(top))


def test_each_fold_gets_lists_of_its_own(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    split = {"dataset": "leaky", "scheme": "kfold", "folds": 3, "ratios": "70/15/15", "seed": 42}
    perform("split:split", split | {"json": False}, debug=True)
    extract("clean")
    before = LISTS.read_bytes()
    capsys.readouterr()

    extract("kfold", json=True)

    folds = [one["lists"] for one in json.loads(capsys.readouterr().out)["folds"]]
    files = [project / "research/features" / f"leaky.kfold-{fold}.yaml" for fold in range(3)]
    assert [one["file"] for one in folds] == [str(file) for file in files]
    assert [one["origin"]["split"]["fold"] for one in folds] == [0, 1, 2]
    assert len({one["origin"]["training"]["sha256"] for one in folds}) == 3
    for fold, one in enumerate(folds):
        selection = select(project / "data", splits_folder(project), "leaky", "kfold", fold)
        inputs = FeatureInputs.load(
            project / "data", feature_lists_folder(project), selection, "top_features"
        )
        assert inputs.columns == tuple(one["top_features"])
    assert LISTS.read_bytes() == before

    extract("kfold")
    said = capsys.readouterr()
    assert said.out.count("(kfold split, fold ") == 3
    assert "scripts/inv cross-validate model=dual_pathway" in said.err
    assert "data.split=kfold" in said.err


def test_a_second_set_with_the_same_images_costs_nothing_and_excluded_ones_are_left_out(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    extract()
    first, *others = catalogs.load(project / "data", "leaky").rows
    shutil.copytree(project / "data/raw/leaky", project / "data/raw/second")
    (project / "data/raw/second" / first.path).write_bytes(b"damaged, and excluded for it")
    catalogs.write(project / "data", "second", [replace(first, excluded=True), *others])
    capsys.readouterr()

    extract(dataset="second", json=True)

    document = json.loads(capsys.readouterr().out)
    assert (document["images"], document["measured"]) == (IMAGES - 1, 0)


def test_damaged_images_are_all_listed_and_nothing_is_written(
    broken: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    TABLE.unlink(missing_ok=True)
    broken[0].write_bytes(broken[0].read_bytes()[:40])
    broken[1].write_bytes(b"")
    broken[2].unlink()

    lines = refused(capsys, 3)

    assert all(line.startswith("DataError: ") for line in lines)
    assert [file.name in line for file, line in zip(broken, lines, strict=True)] == [True] * 3
    assert not TABLE.exists()


@pytest.mark.parametrize(
    ("flags", "code", "says"),
    [
        ({"split": "offical"}, 2, "did you mean 'official'"),
        ({"dataset": "leeky"}, 3, "did you mean 'leaky'"),
        ({"dataset": "../leaky"}, 2, "is not a valid name"),
    ],
)
def test_what_cannot_be_done_is_refused_at_once(
    capsys: pytest.CaptureFixture[str], flags: dict[str, str], code: int, says: str
) -> None:
    (line,) = refused(capsys, code, **flags)

    assert says in line
