"""Runs made again in a real repository with real trainings: equal, and what is said where they are not."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from ctexp.cli.reproduce import reproduce
from ctexp.core import files
from ctexp.core.errors import UsageError
from ctexp.data import catalog as catalogs
from ctexp.data.versions import dvc
from ctexp.data.versions.exchange import push
from ctexp.record.find import run_paths
from ctexp.reproduction.verdict import Verdict
from tests.project import HERE, INV, TINY, add_pipeline, add_tiny_set, call, git, inv, make_project
from tests.reproduction.records import flip
from tests.waiting import until

LOCKS = ("requirements.lock", "requirements-dev.lock")
MODEL = "src/ctexp/models/tiny_cnn.py"


@pytest.mark.parametrize(
    ("run", "tolerance", "said"),
    [("", "", "which run"), ("x", "two", "'two' is no number from 0 to 1"), ("x", "-1", "is no number")],
)
def test_wrong_words_are_refused_in_one_line(run: str, tolerance: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        reproduce(run, here=False, tolerance=tolerance, keep=False, json=False)


def commit(project: Path, message: str) -> None:
    git(project, "add", ".")
    git(project, "commit", "--quiet", f"--message={message}")


def train(project: Path, name: str, *words: str) -> Path:
    """A run by the project's own source."""
    source = f"PYTHONPATH={project / 'src'}"
    call(project, "env", source, INV, "train", *TINY, f"run.name={name}", *words)
    return next(path for path in run_paths(project / "runs") if path.name.startswith(f"{name}_"))


def replaced(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with source, locks and data under DVC; the runs `clean` and `dirty`, made two commits ago."""
    root = make_project(tmp_path_factory.mktemp("reproduce") / "project")
    add_pipeline(root)
    bare = shutil.ignore_patterns("__pycache__")
    shutil.copytree(HERE / "src", root / "src", ignore=bare, dirs_exist_ok=True)
    for lock in LOCKS:
        shutil.copy(HERE / lock, root)
    add_tiny_set(root)
    dvc.run(root, "remote", "add", "-d", "store", str(root.parent / "store"))
    push(root, root / "data", "tiny")
    commit(root, "source and data")
    train(root, "clean")
    replaced(root / MODEL, "nn.ReLU(", "nn.LeakyReLU(0.1, ")
    (root / "conf/augment/mine.yaml").write_text((root / "conf/augment/flip_rotate.yaml").read_text())
    train(root, "dirty", "augment=mine")
    (root / "conf/augment/mine.yaml").unlink()
    git(root, "checkout", "--quiet", MODEL)
    replaced(root / MODEL, "nn.ReLU(", "nn.SiLU(")
    commit(root, "another network")
    replaced(root / MODEL, "nn.SiLU(", "nn.GELU(")
    commit(root, "and another")
    replaced(root / MODEL, "nn.GELU(", "nn.Hardswish(")
    return root


def state(project: Path) -> list[str]:
    asked = (
        ("status", "--porcelain"),
        ("diff",),
        ("worktree", "list"),
        ("branch", "--all"),
        ("stash", "list"),
    )
    return [git(project, *words) for words in asked]


def reproduced(project: Path, run: str, *words: str, code: int = 0) -> dict[str, Any]:
    """The verdict, which is in its file too; git is as it was."""
    before = state(project)
    found: dict[str, Any] = json.loads(
        inv(project, "reproduce", "--run", run, *words, "--json", code=code).stdout
    )
    assert state(project) == before
    place = Path(found.pop("path"))
    assert Verdict.read(place / "verdict.json").document() == found
    return found


def counted(verdict: dict[str, Any]) -> list[str]:
    return [one["what"] for one in verdict["differences"] if one["counts"]]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_run_of_two_commits_ago_with_a_patch_is_made_again_bit_for_bit_in_its_environment(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")  # where uv is
    verdict = reproduced(project, "dirty")
    assert (verdict["outcome"], verdict["strict"], counted(verdict)) == ("equal", True, [])
    assert all(one["identical"] for one in verdict["compared"])
    assert {one["what"] for one in verdict["compared"]} == {
        "predictions of val",
        "metrics of val",
        "history",
        "best.ckpt",
    }
    packages = verdict["packages"]
    assert packages["made_by"] == "uv"
    assert packages["lock"] in LOCKS, "the one that this environment was installed from"
    assert packages["lock_sha256"] == files.sha256_file(project / packages["lock"])
    assert verdict["images"]["origin"] == "here"
    assert verdict["source"]["patch_sha256"] is not None


@pytest.mark.slow
def test_a_tampered_checkpoint_is_told(project: Path) -> None:
    run = next(path for path in run_paths(project / "runs") if path.name.startswith("clean_"))
    kept = (run / "checkpoints/best.ckpt").read_bytes()
    flip(run / "checkpoints/best.ckpt")
    verdict = reproduced(project, "clean", "--here", code=12)
    (run / "checkpoints/best.ckpt").write_bytes(kept)
    assert (verdict["outcome"], counted(verdict)) == ("different", ["checkpoints/best.ckpt"])
    predictions = next(one for one in verdict["compared"] if one["what"] == "predictions of val")
    assert predictions["identical"], "the training itself can be repeated"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_changed_images_come_from_dvc_and_without_it_are_told(project: Path) -> None:
    catalog = catalogs.load(project / "data", "tiny")
    image = catalog.raw / catalog.rows[3].path
    kept = image.read_bytes()
    flip(image)
    cache, store = project / ".dvc/cache", project.parent / "store"
    try:
        verdict = reproduced(project, "clean", "--here")
        assert (verdict["outcome"], verdict["images"]["origin"]) == ("equal", "dvc")
        assert catalog.rows[3].path in verdict["notes"][0]

        cache.rename(project.parent / "cache-away")
        assert reproduced(project, "clean", "--here")["images"]["origin"] == "dvc", "from the remote"

        shutil.rmtree(cache, ignore_errors=True)
        store.rename(project.parent / "store-away")
        verdict = reproduced(project, "clean", "--here", code=12)
        assert (verdict["outcome"], verdict["reproduction"]) == ("not_made", None)
        assert counted(verdict) == [f"image {catalog.rows[3].path}"]
    finally:
        image.write_bytes(kept)
        shutil.rmtree(cache, ignore_errors=True)
        (project.parent / "cache-away").rename(cache)
        if (project.parent / "store-away").exists():
            (project.parent / "store-away").rename(store)


@pytest.mark.slow
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_nothing(project: Path, signum: signal.Signals) -> None:
    before = state(project)
    there = set((project / "runs/reproductions").glob("*"))
    nobody = {key: value for key, value in os.environ.items() if not key.startswith(("CTEXP_", "WANDB_"))}
    child = subprocess.Popen(
        [INV, "reproduce", "--run", "clean", "--here"],
        cwd=project,
        env=nobody,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert child.stderr is not None
    for line in child.stderr:
        if line.startswith("training: "):
            break
    until(lambda: psutil.Process(child.pid).children(), 60)
    child.send_signal(signum)
    assert child.wait(90) == 128 + signum
    child.stderr.close()
    assert state(project) == before
    assert set((project / "runs/reproductions").glob("*")) == there
