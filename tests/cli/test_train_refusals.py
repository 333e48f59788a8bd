"""What cannot be trained is refused in one line, with the right exit code, and leaves nothing behind."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from invoke.exceptions import Exit
from PIL import Image

from ctexp.cli.verb import perform
from tests.project import TINY, add_tiny_set, git, make_project

pytestmark = pytest.mark.usefixtures("blank_pictures")

FLAGS = {"resume": None, "cfg": False, "dry_run": False, "yes": False, "json": False}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = make_project(tmp_path / "project")
    add_tiny_set(folder)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("CTEXP_ROOT", raising=False)
    return folder


def refused(
    capsys: pytest.CaptureFixture[str], words: Sequence[str], code: int, **flags: object
) -> list[str]:
    """Train, expecting a refusal; the lines on stderr."""
    with pytest.raises(Exit) as caught:
        perform("train:train", {"override": list(words), **FLAGS, **flags}, debug=False)
    said = capsys.readouterr()
    assert caught.value.code == code, said.err
    assert not list(Path("runs").glob("*")), "something was left behind"
    return [line for line in said.err.splitlines() if "computing on the CPU" not in line]


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("model=resnett50", "did you mean 'resnet50'"),
        ("data.batch_size=abc", "data.batch_size: expected a whole number"),
        ("data.batchsize=8", "did you mean 'data.batch_size'"),
        ("+data.batchsize=8", "did you mean 'data.batch_size'"),
        ("data.batch_size=0", "from 1 to 4096"),
        ("optimizer.lr=nan", "optimizer.lr"),
        ("model=[1]", "not a list"),
        ("model=../model/resnet18", "path"),
        ("data=null", "choose one of"),
    ],
)
def test_a_wrong_override(
    project: Path, capsys: pytest.CaptureFixture[str], override: str, says: str
) -> None:
    (line,) = refused(capsys, [override], 2)
    assert line.startswith("UsageError: ")
    assert says in line
    assert project.is_dir()


def test_a_missing_data_set(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = refused(capsys, ["data.name=other"], 3)
    assert "data-import" in line
    assert "data=phantom" in line
    assert project.is_dir()


def test_every_unreadable_image_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = project / "data" / "raw" / "tiny"
    files = sorted(raw.rglob("*.png"))
    files[0].unlink()
    files[1].write_bytes(b"x" * 10)
    lines = refused(capsys, TINY, 3)
    assert len(lines) == 2
    assert all(str(file) in line for file, line in zip(files, lines, strict=False))


@pytest.mark.parametrize("cache", ["disk", "none"])
def test_an_image_changed_behind_an_equal_size(
    project: Path, capsys: pytest.CaptureFixture[str], cache: str
) -> None:
    file = sorted((project / "data" / "raw" / "tiny" / "train").rglob("*.png"))[-1]
    content = bytearray(file.read_bytes())
    content[-20] ^= 1
    file.write_bytes(content)
    (line,) = refused(capsys, [*TINY, f"data.cache={cache}"], 3)
    assert file.name in line


def test_an_empty_class_is_named_at_the_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_project(tmp_path / "project")
    monkeypatch.chdir(folder)
    for split in ("train", "valid"):
        for name in ("adenocarcinoma", "large.cell.carcinoma", "squamous.cell.carcinoma", "normal"):
            (tmp_path / "tree" / split / name).mkdir(parents=True)
            if (split, name) != ("valid", "normal"):
                image = Image.fromarray(np.full((8, 8), len(name + split), np.uint8))
                image.save(tmp_path / "tree" / split / name / "a.png")
    optional = {"metadata": None, "window": None, "exclude": None}
    flags = {"path": str(tmp_path / "tree"), "name": "few", "seed": 1, "json": False, **optional}
    with pytest.raises(Exit) as caught:
        perform("data:import_", flags, debug=False)
    assert caught.value.code == 3
    assert "normal" in capsys.readouterr().err
    assert not [path for path in (folder / "data" / "raw").glob("*") if not path.name.startswith(".")]


def test_uncommitted_changes_can_be_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "extra.py").write_text("x = 1\n")
    (line,) = refused(capsys, [*TINY, "git.dirty=refuse"], 4)
    assert "extra.py" in line
    git(project, "add", ".")


def test_a_gpu_that_was_asked_for_and_is_not_there(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    words = [word for word in TINY if not word.startswith("trainer.accelerator")]
    (line,) = refused(capsys, [*words, "trainer.accelerator=gpu"], 4)
    assert "trainer.accelerator=cpu" in line
    assert project.is_dir()


def test_weights_that_are_not_there(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [*TINY, "model=resnet18", "model.weights=nowhere.safetensors"]
    words.remove("model=tiny_cnn")
    (line,) = refused(capsys, words, 4)
    assert "nowhere.safetensors: no such file" in line
    assert project.is_dir()


def test_an_error_with_json_is_a_document_too(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Exit):
        perform("train:train", {"override": ["lr=1"], **FLAGS, "json": True}, debug=False)
    document = json.loads(capsys.readouterr().out)
    assert document["error"]["exit_code"] == 2
    assert project.is_dir()


def test_a_runs_folder_that_is_a_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "elsewhere").write_text("")
    with pytest.raises(Exit) as caught:
        perform("train:train", {"override": [*TINY, "paths.runs=elsewhere"], **FLAGS}, debug=False)
    assert caught.value.code == 4
    assert "elsewhere: a file is in the way" in capsys.readouterr().err
