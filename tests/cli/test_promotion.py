"""A promotion with a real git and a real DVC: what lies where, what a clone gets, what the next one keeps."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from ctexp.core import files
from ctexp.record import baselines
from ctexp.record.checkpoint_files import BEST
from ctexp.record.find import run_paths
from ctexp.record.run_dir import RunDir
from tests import judged
from tests.project import DVC, INV, call, git, make_project

pytestmark = pytest.mark.slow


def compare(project: Path, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    return call(project, INV, "compare-baselines", *words, code=code)


def seeds(project: Path, name: str, skills: Sequence[float], first: int) -> list[RunDir]:
    tables = [judged.predictions(200, skill, first + k) for k, skill in enumerate(skills)]
    return [
        judged.a_run(project / "runs", name, first + k, tables={"val": table}, root=project)
        for k, table in enumerate(tables)
    ]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = make_project(tmp_path / "project")
    call(project, DVC, "init", "--quiet")
    call(project, DVC, "remote", "add", "-d", "store", str(tmp_path / "store"))
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message=dvc")
    return project


def test_a_promoted_run_is_under_dvc_protected_and_what_comes_next_is_compared_with(
    project: Path, tmp_path: Path
) -> None:
    seeds(project, "poor", (-2.0, -2.0, -2.0), 1)
    good = seeds(project, "good", (0.8, 1.0, 0.8), 11)
    words = ("--baseline", "poor", "--candidate", "good", "--promote", "--reason", "a: 'better' \"loss\"")
    done = compare(project, *words, "--json")
    promoted = json.loads(done.stdout)["promoted"]
    assert promoted["folder"] == "research/baselines/good"
    to_commit = [
        "research/baselines.yaml",
        "research/baselines/.gitignore",
        "research/baselines/good.dvc",
        "research/decisions.jsonl",
    ]
    assert f"git add {' '.join(to_commit)}" in done.stderr
    assert "push research/baselines/good.dvc" in done.stderr

    current = baselines.current(project)
    assert current is not None
    assert (current.title, current.over, current.reason) == ("good", "poor", "a: 'better' \"loss\"")
    assert set(current.runs) == {run.id for run in good}

    best, folder = good[1], project / "research" / "baselines" / "good"
    assert {path.name for path in folder.iterdir()} == {
        BEST,
        "config.yaml",
        "calibration.json",
        "MODEL_CARD.md",
    }
    assert files.sha256_file(folder / BEST) == files.sha256_file(best.checkpoints / BEST)
    assert best.id in (folder / "MODEL_CARD.md").read_text()
    git(project, "add", *to_commit)
    git(project, "commit", "--quiet", "--message=baseline")
    assert "research" not in git(project, "status", "--porcelain")

    pruned = json.loads(call(project, INV, "prune", "--older-than", "0h", "--keep", "0", "--json").stdout)
    assert set(pruned["protected"]) == {run.id for run in good}

    call(project, DVC, "push", "research/baselines/good.dvc")
    git(tmp_path, "clone", "--quiet", str(project), "clone")
    call(tmp_path / "clone", DVC, "pull", "research/baselines/good.dvc")
    cloned = tmp_path / "clone" / "research" / "baselines" / "good"
    assert (cloned / BEST).read_bytes() == (best.checkpoints / BEST).read_bytes()

    newer = seeds(project, "newest", (9.0, 9.0, 9.0), 31)
    said = compare(project, "--candidate", "newest", "--promote").stderr
    assert "newest is the baseline now, instead of good" in said
    found = baselines.read(project)
    assert found.current is not None
    assert found.current.runs == tuple(run.id for run in newer)
    assert [one.title for one in found.earlier] == ["good"]
    refused = compare(project, "--candidate", newer[0].id, code=2).stderr
    assert "the baseline (baseline) has the same run" in refused
    again = compare(project, "--baseline", "good", "--candidate", "newest", "--promote", code=2).stderr
    assert "newest is the baseline already" in again


def test_the_same_name_promoted_again_replaces_its_files(project: Path) -> None:
    seeds(project, "poor", (0.5,), 1)
    (first,) = seeds(project, "good", (9.0,), 11)
    compare(project, "--baseline", "poor", "--candidate", "good", "--promote")
    (second,) = seeds(project, "good", (9.0,), 11)
    assert run_paths(project / "runs")[-1].name in {first.id, second.id}
    said = compare(project, "--baseline", "poor", "--candidate", "good", "--promote").stderr
    assert "instead of good, with which it was not compared, but with poor" in said
    found = baselines.read(project)
    assert found.current is not None
    kept = RunDir(project / "runs" / found.current.runs[0])
    folder = project / found.current.folder
    assert files.sha256_file(folder / BEST) == files.sha256_file(kept.checkpoints / BEST)
    assert call(project, DVC, "status", "research/baselines/good.dvc").stdout.strip().endswith("up to date.")
    assert not [path for path in folder.parent.iterdir() if path.name.startswith(".") and path.is_dir()]


def test_the_network_kept_is_the_best_on_validation_though_test_was_judged(project: Path) -> None:
    found = []
    for name, seed, val, test in (("poor", 1, 0.0, 0.0), ("good", 11, 3.6, 3.2), ("good", 12, 3.2, 3.6)):
        tables = {
            "val": judged.predictions(200, val, seed),
            "test": judged.predictions(200, test, seed, prefix="test"),
        }
        found.append(judged.a_run(project / "runs", name, seed, tables=tables, root=project))
    compare(project, "--baseline", "poor", "--candidate", "good", "--split", "test", "--final", "--promote")
    kept = project / "research" / "baselines" / "good" / BEST
    assert kept.read_bytes() == (found[1].checkpoints / BEST).read_bytes()


def test_a_cross_validation_is_promoted_with_all_its_folds(project: Path) -> None:
    poor = judged.predictions(80, 0.2, 3)
    judged.a_run(project / "runs", "poor", 3, tables={"val": poor}, root=project)
    place = judged.a_cross_validation(project / "runs", "cv", skill=9)
    compare(project, "--baseline", "poor", "--candidate", "cv", "--promote")
    folder = project / "research" / "baselines" / place.id
    folds = [path for path in folder.iterdir() if path.is_dir()]
    assert len(folds) == 2
    assert all(
        {BEST, "config.yaml", "MODEL_CARD.md"} <= {file.name for file in fold.iterdir()} for fold in folds
    )
    assert (folder / "ensemble.json").is_file()
    said = compare(project, "--candidate", "poor", "--intersect").stdout
    assert f"; baseline {place.id}, 1 seed" in said


def test_a_failing_dvc_leaves_the_old_baseline(project: Path) -> None:
    seeds(project, "poor", (0.5,), 1)
    seeds(project, "good", (9.0,), 11)
    (project / ".gitignore").write_text("research/\n")
    said = compare(project, "--baseline", "poor", "--candidate", "good", "--promote", code=4).stderr
    assert "PreflightError: dvc add" in said
    assert baselines.current(project) is None
