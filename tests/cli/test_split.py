"""`inv data-split` through its verb: the file, the table, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from invoke.exceptions import Exit

from ctexp.cli.verb import perform
from ctexp.core.files import sha256_file
from tests.leaky import COPIES, add_leaky_set
from tests.project import make_project

FLAGS = {"dataset": "leaky", "scheme": "clean", "folds": 5, "ratios": "70/15/15", "seed": 42, "json": False}
SPLITS = Path("research/splits/leaky")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_project(tmp_path_factory.mktemp("split") / "project")
    add_leaky_set(folder)
    return folder


@pytest.fixture(autouse=True)
def project(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made)
    monkeypatch.delenv("CTEXP_ROOT", raising=False)


def data_split(code: int = 0, **flags: Any) -> None:
    if code:
        with pytest.raises(Exit) as caught:
            perform("split:split", FLAGS | flags, debug=False)
        assert caught.value.code == code
    else:
        perform("split:split", FLAGS | flags, debug=False)


def test_a_table_says_what_is_where_and_what_to_type_next(capsys: pytest.CaptureFixture[str]) -> None:
    data_split()

    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0] == "leaky, clean split: research/splits/leaky/clean.txt"
    assert lines[1] == f"sha256 {sha256_file(SPLITS / 'clean.txt')}"
    assert lines[2].split() == ["class", "train", "val", "test", "left", "out"]
    assert lines[-2].split() == ["normal", "11", "10", str(12 - COPIES), str(COPIES)]
    assert lines[-1].split() == ["all", "44", "40", str(48 - COPIES), str(COPIES)]
    assert f"warning: test: few independent images ({12 - COPIES} of normal): specificity" in said.err
    assert "git add research/splits/leaky/clean.txt" in said.err
    assert "scripts/inv train data.name=leaky data.split=clean\n" in said.err


def test_the_same_command_gives_the_same_file_and_another_seed_another(
    capsys: pytest.CaptureFixture[str],
) -> None:
    documents = []
    for seed in (1, 1, 2):
        data_split(scheme="kfold", folds=3, seed=seed, json=True)
        documents.append(json.loads(capsys.readouterr().out))

    first, again, other = documents
    assert first["sha256"] == again["sha256"] != other["sha256"]
    assert [document["unchanged"] for document in documents] == [False, True, False]
    assert first["counts"].keys() == {"0", "1", "2"}
    assert sum(sum(classes.values()) for classes in first["counts"].values()) == 44 + 40 + 48
    assert other["sha256"] == sha256_file(Path(other["file"]))
    data_split(scheme="kfold", folds=3, seed=1)
    said = capsys.readouterr()
    assert "warning: another split was there" in said.err
    assert "data.split=kfold data.fold=0" in said.err


def test_small_folds_are_warned_of_each(capsys: pytest.CaptureFixture[str]) -> None:
    data_split(scheme="kfold", folds=4)

    warnings = [line for line in capsys.readouterr().err.splitlines() if "few independent" in line]
    assert len(warnings) == 4
    assert warnings[0].startswith("warning: with data.fold=0, val: few independent images (")


def test_ratios_are_the_users(capsys: pytest.CaptureFixture[str]) -> None:
    data_split(scheme="grouped", ratios="50/25/25", json=True)

    counts = json.loads(capsys.readouterr().out)["counts"]
    for part, share in {"train": 0.5, "val": 0.25, "test": 0.25}.items():
        assert counts[part]["adenocarcinoma"] == pytest.approx(share * 33, abs=1)
    assert "# ratios: 50/25/25\n" in (SPLITS / "grouped.txt").read_text()


@pytest.mark.parametrize(
    ("flags", "code", "says"),
    [
        ({"scheme": "kfodl"}, 2, "there is no split scheme 'kfodl' -> did you mean 'kfold'?"),
        ({"dataset": "leeky"}, 3, "did you mean 'leaky'?"),
        ({"scheme": "kfold", "folds": 1}, 2, "--folds: 1 is less than 2"),
        ({"scheme": "kfold", "folds": 40}, 3, "normal: 24 independent images; 40 parts need at least 40"),
        ({"scheme": "kfold", "folds": 100_000_000}, 3, "100,000,000 folds of 132 images"),
        ({"scheme": "grouped", "ratios": "70/15/10"}, 2, "not three whole percentages that add up to 100"),
        ({"scheme": "grouped", "ratios": "9" * 5000}, 2, "not three whole percentages that add up to 100"),
        ({"scheme": "grouped", "ratios": "100/0/0"}, 2, "not three whole percentages"),
        ({"scheme": "grouped", "ratios": "-70/85/85"}, 2, "not three whole percentages"),
        ({"scheme": "grouped", "ratios": "50/50"}, 2, "not three whole percentages"),
        ({"scheme": "grouped", "seed": -1}, 2, "--seed: -1 is not from 0"),
        ({"scheme": "clean", "seed": 7}, 2, "--seed: the clean scheme takes none"),
        ({"scheme": "kfold", "ratios": "60/20/20"}, 2, "--ratios: the kfold scheme takes none"),
        ({"scheme": "time"}, 3, "132 of 132 images have no date of acquisition"),
    ],
)
def test_what_makes_no_sense_is_refused(
    capsys: pytest.CaptureFixture[str], flags: dict[str, Any], code: int, says: str
) -> None:
    before = {path: path.read_bytes() for path in SPLITS.glob("*")}

    data_split(code, **flags)

    assert says in capsys.readouterr().err
    assert {path: path.read_bytes() for path in SPLITS.glob("*")} == before


def test_a_folder_in_the_place_of_the_file_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    file = SPLITS / "official.txt"
    file.mkdir(parents=True)

    data_split(3, scheme="official")

    (line,) = capsys.readouterr().err.splitlines()
    assert "official.txt: cannot be read (Is a directory) -> move it away" in line
    file.rmdir()
