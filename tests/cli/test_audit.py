"""`data-audit` as it is called: what it prints, what it writes, and how it ends."""

import json
from pathlib import Path

import numpy as np
import pytest
from invoke.exceptions import Exit
from PIL import Image

from ctexp.cli.verb import perform
from ctexp.core.classes import CLASSES
from ctexp.data.intake.importer import import_dataset
from tests.leaky import add_leaky_set
from tests.project import HERE


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder with the real configuration, and the leaky set."""
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("conf", "tasks.py"):
        (folder / name).symlink_to(HERE / name)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("CTEXP_ROOT", raising=False)
    return folder


def audited(
    capsys: pytest.CaptureFixture[str],
    dataset: str,
    code: int,
    *,
    allow_leakage: bool = False,
    json: bool = False,
) -> tuple[str, list[str]]:
    """Audit, expecting an exit code; what stood on stdout, and the lines on stderr."""
    ended = 0
    try:
        flags = {"dataset": dataset, "allow_leakage": allow_leakage, "json": json}
        perform("audit:audit", flags, debug=False)
    except Exit as error:
        ended = error.code
    said = capsys.readouterr()
    assert ended == code, said.err
    return said.out, said.err.splitlines()


def test_leaks_end_in_3_unless_accepted_and_the_findings_come_first(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_leaky_set(project)
    out, err = audited(capsys, "leaky", 3)
    lines = out.splitlines()
    assert len(lines) <= 25
    assert any(line.split() == ["normal", "11", "10", "12"] for line in lines)
    assert any("9 of 12 normal test images are exact copies of 3 training images" in line for line in lines)
    assert lines[-1] == "page: data/audit/leaky/audit.html"
    assert (project / "data" / "audit" / "leaky" / "audit.html").is_file()
    assert len(err) == 1
    assert err[0].startswith("DataError: data set 'leaky': 9 images of val and test also in training -> ")
    assert "data.split=official must be named" in err[0]


def test_copies_between_val_and_test_end_in_3_with_a_fresh_split_as_the_way_out(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(1)
    for split in ("train", "val", "test"):
        for name in CLASSES:
            folder = project / "source" / split / name
            folder.mkdir(parents=True)
            for number in range(2):
                Image.fromarray(rng.integers(0, 256, (24, 30), dtype=np.uint8)).save(folder / f"{number}.png")
    for name in CLASSES[:2]:
        copy = (project / "source" / "val" / name / "0.png").read_bytes()
        (project / "source" / "test" / name / "copy.png").write_bytes(copy)
    import_dataset(project / "source", "chosen", project / "data", seed=1)

    out, err = audited(capsys, "chosen", 3)

    says = "2 test images are copies of validation images; the test is then no longer independent of model"
    assert says in " ".join(out.split())
    assert err == [
        "DataError: data set 'chosen': 2 images of test also in val -> divide it anew: "
        "scripts/inv data-split --dataset chosen --scheme grouped, and train with data.split=grouped; "
        "--allow-leakage accepts it here"
    ]
    assert audited(capsys, "chosen", 0, allow_leakage=True)[1] == []


def test_json_is_one_document_and_accepted_leaks_end_in_0(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_leaky_set(project)
    out, err = audited(capsys, "leaky", 0, json=True, allow_leakage=True)
    document = json.loads(out)
    assert document == json.loads((project / "data/audit/leaky/audit.json").read_text())
    assert document["leaks"][0]["exact_distinct"] == 3
    assert err == []


def test_damage_ends_in_3_even_where_leaks_are_accepted(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_leaky_set(project)
    (project / "data/raw/leaky/train/normal/05.png").write_bytes(b"")
    out, err = audited(capsys, "leaky", 3, allow_leakage=True)
    assert "train/normal/05.png: empty" in out
    assert len(err) == 1
    assert "1 file not as imported" in err[0]
    assert "put the original files back" in err[0]


def test_labels_that_contradict_each_other_are_told_but_end_in_0(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(1)
    for split in ("train", "val"):
        for name in CLASSES:
            folder = project / "source" / split / name
            folder.mkdir(parents=True)
            for number in range(2):
                Image.fromarray(rng.integers(0, 256, (24, 30), dtype=np.uint8)).save(folder / f"{number}.png")
    torn = project / "source" / "train"
    (torn / "normal" / "copy.png").write_bytes((torn / CLASSES[0] / "0.png").read_bytes())
    import_dataset(project / "source", "torn", project / "data", seed=1)
    out, err = audited(capsys, "torn", 0)
    (line,) = [line for line in out.splitlines() if line.startswith("! labels")]
    assert "train/adenocarcinoma/0.png (adenocarcinoma and normal)" in line
    assert err == []


def test_a_set_that_is_not_there(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, err = audited(capsys, "nothing", 3)
    assert "there is no data set 'nothing'" in err[0]
    assert not (project / "data").exists()
