"""`data-push`, `data-pull` and `dvc repro` as people type them, with a real git, DVC and remote."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pexpect
import psutil
import pytest

from ctexp.core.locks import FileLock
from tests.project import DVC, add_pipeline, add_tiny_set, call, git, make_project

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("CTEXP_", "DVC_"))}


def inv(project: Path, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    return call(project, "scripts/inv", *words, code=code)


def repro(project: Path, *stages: str, code: int = 0) -> str:
    done = call(project, DVC, "repro", *stages, code=code)
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A project whose set `tiny` was pushed, and what was told of it."""
    project = make_project(tmp_path_factory.mktemp("origin") / "project")
    add_pipeline(project)
    add_tiny_set(project)
    call(project, DVC, "remote", "add", "-d", "store", str(project.parent / "store"))
    done = inv(project, "data-push", "--dataset", "tiny")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message=tiny")
    return project, done.stdout + done.stderr


@pytest.fixture
def clone(told: tuple[Path, str], tmp_path: Path) -> Path:
    git(tmp_path, "clone", "--quiet", str(told[0]), "clone")
    return tmp_path / "clone"


def an_image(project: Path) -> Path:
    return min((project / "data/raw/tiny").rglob("*.png"))


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def test_a_push_says_what_it_did_and_what_is_left_to_do(told: tuple[Path, str]) -> None:
    assert "tiny: 42 images verified, version " in told[1]
    assert "pushed to store: 44 new files" in told[1]
    assert "written into dvc.yaml: tiny" in told[1]
    assert "dvc repro audit@tiny split@tiny radiomics@tiny" in told[1]
    assert "commit .dvc/config, dvc.yaml, dvc.lock, so that others can pull this version" in told[1]


@pytest.mark.slow
def test_the_pipeline_fetches_an_imported_set_and_never_records_or_overwrites_damage(clone: Path) -> None:
    assert "Running stage 'import@tiny'" in repro(clone, "import@tiny")
    assert "Stage 'import@tiny' didn't change, skipping" in repro(clone, "import@tiny")
    assert git(clone, "status", "--porcelain") == ""

    damaged = an_image(clone)
    flip(damaged)
    content = damaged.read_bytes()
    said = repro(clone, "import@tiny", code=255)
    assert f"{damaged.relative_to(clone)}: is not what dvc.lock records" in said
    assert damaged.read_bytes() == content
    assert git(clone, "status", "--porcelain") == ""


def test_a_pull_on_a_terminal_draws_a_line_that_is_gone_at_the_end(clone: Path) -> None:
    child = pexpect.spawn("scripts/inv", ["data-pull"], 60, cwd=str(clone), env=CLEAN, encoding="utf-8")
    child.expect("pulling")
    child.expect(r"\[00:00")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    last = child.before.split("\r")[-2:]
    assert last == ["\x1b[1A\x1b[2Ktiny: 42 images verified in data/raw/tiny", "\n"]


def test_a_failure_is_one_line_of_its_own_code(clone: Path) -> None:
    misspelt = inv(clone, "data-pull", "--dataset", "tniy", "--json", code=3)
    assert json.loads(misspelt.stdout)["error"]["hint"] == "did you mean 'tiny'?"
    call(clone, DVC, "remote", "remove", "store")
    alone = inv(clone, "data-pull", code=4)
    assert alone.stdout == ""
    assert alone.stderr.startswith("PreflightError: DVC has no remote")
    assert alone.stderr.count("\n") == 1


def test_a_stopped_pull_leaves_no_dvc_behind(clone: Path) -> None:
    with FileLock(clone / ".dvc/tmp/lock", "DVC"):  # so that DVC waits
        child = subprocess.Popen(["scripts/inv", "data-pull"], cwd=clone, env=CLEAN, stderr=subprocess.PIPE)
        while not (working := psutil.Process(child.pid).children()):
            assert child.poll() is None
        child.send_signal(signal.SIGTERM)
        _, said = child.communicate()
    assert child.returncode == 128 + signal.SIGTERM
    assert said == b"Stopped: SIGTERM was received -> the same command begins it again\n"
    assert psutil.wait_procs(working, timeout=10)[1] == []


@pytest.mark.slow
def test_what_the_pipeline_makes_of_a_set_is_pushed_and_pulled_with_it(clone: Path, tmp_path: Path) -> None:
    repro(clone, "audit@tiny", "split@tiny", "radiomics@tiny")
    pushed = json.loads(inv(clone, "data-push", "--json").stdout)
    assert pushed["stages"] == ["import@tiny", "audit@tiny", "split@tiny", "radiomics@tiny"]
    assert pushed["outstanding"] == []
    git(clone, "add", ".")
    git(clone, "commit", "--quiet", "--message=made")

    git(tmp_path, "clone", "--quiet", str(clone), "second")
    second = tmp_path / "second"
    pulled = json.loads(inv(second, "data-pull", "--json").stdout)
    assert pulled["sets"] == pushed["sets"]
    for made in ("data/audit/tiny/audit.json", "data/features/tiny.parquet"):
        assert (second / made).read_bytes() == (clone / made).read_bytes()
    assert "Data and pipelines are up to date." in call(second, DVC, "status", *pulled["stages"]).stdout


@pytest.mark.slow
def test_a_fresh_clone_makes_the_synthetic_set_and_the_second_time_nothing(tmp_path: Path) -> None:
    origin = make_project(tmp_path / "origin")
    add_pipeline(origin)
    git(tmp_path, "clone", "--quiet", str(origin), "clone")
    clone = tmp_path / "clone"

    made = ("phantom", "split@phantom")  # what the other stages make is seen on a small set above
    repro(clone, *made)

    again = repro(clone, *made)
    assert "Running" not in again
    assert again.count("didn't change, skipping") == 2
    changed = git(clone, "status", "--porcelain", "--untracked-files=all").split()[1::2]
    assert changed == ["dvc.lock", "research/splits/phantom/clean.txt"]

    image = next((clone / "data/raw/phantom").rglob("*.png"))
    before = image.read_bytes()
    flip(image)
    assert "modified:           data/raw/phantom" in call(clone, DVC, "status", "phantom").stdout
    refused = inv(clone, "train", "data=phantom", "model=tiny_cnn", "--dry-run", code=3)
    assert str(image.relative_to(clone)) in refused.stderr
    repro(clone, "phantom")
    assert image.read_bytes() == before


def test_the_catalog_is_kept_as_a_delta_table(told: tuple[Path, str]) -> None:
    project = told[0]
    said = inv(project, "data-delta", "data/delta/tiny", "--dataset", "tiny").stdout
    assert said.startswith("tiny: version 0 of data/delta/tiny now holds its 42 images\ncatalog sha256: ")
    kept = json.loads(inv(project, "data-delta", "data/delta/tiny", "--dataset", "tiny", "--json").stdout)
    assert kept == {
        "schema_version": 1,
        "dataset": "tiny",
        "images": 42,
        "catalog_sha256": said.split()[-1],
        "table": "data/delta/tiny",
        "version": 0,
        "new": False,
    }
