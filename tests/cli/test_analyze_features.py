"""`inv analyze-features` through its verb: what runs rely on, the lists, what those are good for."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from invoke.exceptions import Exit

from ctexp.cli.verb import perform
from ctexp.core import yaml_file
from ctexp.record.events import read as read_events
from ctexp.record.find import run_paths
from ctexp.record.manifest import Manifest
from ctexp.record.result import Result
from ctexp.record.run_dir import RunDir
from tests.leaky import add_leaky_set
from tests.project import TINY, make_project

pytestmark = pytest.mark.usefixtures("blank_pictures")

WORDS = ("data.name=leaky", *TINY[1:-2], "logger=none", "trainer.max_epochs=4")
DUAL = (*WORDS, "model.fusion=concat", "features=all_features")
LEARNING = "optimizer.lr=0.01"
LISTS = Path("research/features/leaky.yaml")
FIGURE = Path("research/features/leaky.importance.png")


def train(*words: str) -> RunDir:
    flags = {"resume": None, "cfg": False, "dry_run": False, "yes": False, "json": False}
    perform("train:train", flags | {"override": list(words)}, debug=True)
    return RunDir(max(run_paths(Path("runs").absolute()), key=lambda path: path.stat().st_mtime_ns))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A project with features: two seeds of a dual pathway, one of other settings, the image alone."""
    folder = make_project(tmp_path_factory.mktemp("analysis") / "project")
    add_leaky_set(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("CTEXP_ROOT", raising=False)
        perform("features:extract", {"dataset": "leaky", "split": "auto", "json": False}, debug=True)
        runs = {
            "alone": train(*WORDS, "run.name=alone"),
            "other": train(*DUAL, "run.name=other", "optimizer.lr=0.02", "data.eval_batch_size=8"),
            "first": train(*DUAL, LEARNING, "run.name=dual"),
            "second": train(*DUAL, LEARNING, "run.name=dual", "seed=43"),
        }
    return {"project": folder} | {name: run.path for name, run in runs.items()}


@pytest.fixture(autouse=True)
def project(made: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(made["project"])
    monkeypatch.delenv("CTEXP_ROOT", raising=False)
    return made["project"]


def analyze(*runs: Path, **flags: Any) -> None:
    words = {"run": [run.name for run in runs], "repeats": 5, "json": False} | flags
    perform("analyze_features:analyze", words, debug=True)


def document(capsys: pytest.CaptureFixture[str], *runs: Path) -> dict[str, Any]:
    capsys.readouterr()
    analyze(*runs, json=True)
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def refused(capsys: pytest.CaptureFixture[str], code: int, *runs: Path, **flags: Any) -> str:
    capsys.readouterr()
    with pytest.raises(Exit) as caught:
        perform(
            "analyze_features:analyze",
            {"run": [run.name for run in runs], "repeats": 5, "json": False} | flags,
            debug=False,
        )
    assert caught.value.code == code
    return capsys.readouterr().err


@pytest.mark.slow
def test_it_ranks_all_fifty_and_writes_lists_that_say_whence(
    made: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    told = document(capsys, made["first"], made["second"])

    assert told["runs"] == [made["first"].name, made["second"].name]
    assert told["seeds"] == [42, 43]
    assert told["validation"] == {"images": 40, "groups": 40}
    assert len(told["columns"]) == 50
    values = [one["importance"] for one in told["columns"]]
    assert values == sorted(values, reverse=True)
    assert values[0] > 0
    assert sum(one["gradient_share"] for one in told["columns"]) == pytest.approx(1)
    assert all(len(one["runs"]) == 2 for one in told["columns"])
    assert Path(told["figure"]).read_bytes().startswith(b"\x89PNG")

    written = yaml_file.read_mapping(LISTS)
    assert written["top_features"] == told["lists"]["top_features"]
    assert written["top_features"] == [one["column"] for one in told["columns"] if one["low"] > 0]
    assert len(written["top_features"]) + len(written["bottom_features"]) == 50
    origin = written["origin"]
    assert origin["method"] == "permutation importance on validation images"
    assert origin["runs"] == told["runs"]
    assert (origin["repeats"], origin["threshold"]) == (5, {"interval_above": 0.0})
    assert origin["validation"]["images"] == 40


def test_again_it_writes_the_same_bytes(made: dict[str, Path]) -> None:
    analyze(made["first"])
    before = LISTS.read_bytes(), FIGURE.read_bytes()
    LISTS.unlink()

    analyze(made["first"])

    assert (LISTS.read_bytes(), FIGURE.read_bytes()) == before


def test_without_a_run_the_newest_with_features_is_taken(
    made: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    analyze()

    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0] == (
        f"50 features of {made['second'].name}: "
        "5 permutations of each among 40 validation images in 40 groups"
    )
    assert lines[1].split()[:2] == ["column", "nats"]
    assert lines[12] == "and 40 more; --json lists all"
    assert f"lists {LISTS}" in lines
    assert f"figure {FIGURE}" in lines
    assert "correlated columns share importance" in said.err
    assert "these lists have seen the validation images" in said.err
    assert "one run: other seeds may rely on other columns" in said.err


def test_lists_of_the_other_method_are_replaced_aloud(
    made: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    extract = {"dataset": "leaky", "split": "auto", "json": False}
    perform("features:extract", extract, debug=True)
    capsys.readouterr()

    analyze(made["first"])
    assert "replace those made by Kruskal-Wallis test" in capsys.readouterr().err
    analyze(made["first"])
    assert "replace those" not in capsys.readouterr().err
    perform("features:extract", extract, debug=True)
    assert "replace those made by permutation importance" in capsys.readouterr().err


@pytest.mark.slow
def test_runs_that_use_the_lists_carry_a_warning_and_rank_no_new_ones(
    made: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    analyze(made["first"], made["second"])
    before = LISTS.read_bytes()
    run = train(*WORDS, "model.fusion=concat", "features=top_features", "run.name=top")

    (warning,) = [line for line in Result.read(run.result).warnings if "validation images" in line]
    assert warning.startswith("features=top_features: chosen by what counts on these very validation images")
    manifest = Manifest.read(run.manifest)
    assert warning in manifest.dataset.warnings
    assert manifest.features is not None
    assert warning in [event.get("message") for event in read_events(run.events).events]

    told = document(capsys, run.path)
    assert told["lists"]["file"] is None
    assert "only features=all_features ranks all" in told["lists"]["why_not"]
    assert [one["column"] for one in told["columns"]] != []
    assert LISTS.read_bytes() == before
    shutil.rmtree(run.path)


def test_other_experiments_are_refused_with_the_differing_keys(
    made: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    error = refused(capsys, 2, made["first"], made["other"])

    assert f"{made['other'].name} differs from {made['first'].name} in " in error
    assert "in data.eval_batch_size, optimizer.lr ->" in error


@pytest.mark.parametrize(
    ("names", "flags", "code", "says"),
    [
        (["alone"], {}, 3, "its network looks at the image alone"),
        (["first", "first"], {}, 2, "named twice"),
        (["first"], {"repeats": 1}, 2, "--repeats: 1 is not between 2 and 1000"),
    ],
)
def test_what_cannot_be_ranked_is_refused(
    made: dict[str, Path],
    capsys: pytest.CaptureFixture[str],
    names: list[str],
    flags: dict[str, Any],
    code: int,
    says: str,
) -> None:
    assert says in refused(capsys, code, *(made[name] for name in names), **flags)


@pytest.mark.slow
def test_every_fold_has_lists_of_its_own(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    split = {"dataset": "leaky", "scheme": "kfold", "folds": 3, "ratios": "70/15/15", "seed": 42}
    perform("split:split", split | {"json": False}, debug=True)
    capsys.readouterr()
    perform("features:extract", {"dataset": "leaky", "split": "kfold", "json": True}, debug=True)
    folds = json.loads(capsys.readouterr().out)["folds"]
    files = [project / "research/features" / f"leaky.kfold-{fold}.yaml" for fold in range(3)]
    assert [one["lists"]["file"] for one in folds] == [str(file) for file in files]
    assert [one["lists"]["origin"]["split"]["fold"] for one in folds] == [0, 1, 2]
    assert len({one["lists"]["origin"]["training"]["sha256"] for one in folds}) == 3

    words = (*DUAL[:-1], "data.split=kfold", "data.fold=1", "run.name=fold")
    before = files[0].read_bytes(), files[2].read_bytes(), LISTS.read_bytes()
    everything = train(*words, "features=all_features")
    told = document(capsys, everything.path)
    assert told["lists"]["file"] == str(files[1])
    assert (files[0].read_bytes(), files[2].read_bytes(), LISTS.read_bytes()) == before
    assert yaml_file.read_mapping(files[1])["origin"]["split"]["fold"] == 1

    ranked = train(*words, "features=top_features")
    recorded = Manifest.read(ranked.manifest).features
    assert recorded is not None
    assert recorded["columns"] == told["lists"]["top_features"]
    for run in (ranked, everything):
        shutil.rmtree(run.path)
