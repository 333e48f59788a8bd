"""What a record has of what reproducing it takes, on whole and on damaged ones."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ctexp.checklist.points import POINTS
from ctexp.core import files
from ctexp.record import pruned
from ctexp.record.checkpoint_files import BEST
from ctexp.record.git import GitState
from ctexp.record.manifest import DvcVersion, Weights
from ctexp.record.run_dir import RunDir
from tests import judged
from tests.checklist.records import audited, history, of, repository, whole
from tests.project import HERE, git
from tests.record import samples

LOST = GitState(commit=samples.COMMIT, branch="main", dirty=False)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("template")
    repository(root)
    whole(root)
    return root


@pytest.fixture
def root(template: Path, tmp_path: Path) -> Path:
    return shutil.copytree(template, tmp_path / "project")


@pytest.fixture
def run(root: Path) -> RunDir:
    """Of a whole record."""
    return RunDir(next((root / "runs").iterdir()))


def said_of(run: RunDir, **changes: Any) -> RunDir:
    """The same run, of which its manifest says something else."""
    manifest = run.read().manifest
    assert manifest is not None
    manifest.model_copy(update=changes).write(run.manifest)
    return run


def marks(root: Path, run: RunDir) -> dict[str, Any]:
    return {mark.point.id: mark for mark in of(audited(root, run), run).marks}


def test_the_weights_are_a_hundred_points() -> None:
    assert sum(point.weight for point in POINTS) == 100
    assert len({point.id for point in POINTS}) == len(POINTS)


def test_the_guide_names_every_point_with_its_weight() -> None:
    guide = (HERE / "docs" / "tracking.md").read_text()
    for point in POINTS:
        row = next(line for line in guide.splitlines() if line.startswith(f"| {point.id} | {point.weight} |"))
        assert row.endswith("| yes |" if point.vital else "| |")


def test_a_whole_record_has_every_point(root: Path, run: RunDir) -> None:
    found = audited(root, run)
    assert [mark for mark in of(found, run).marks if mark.share != 1.0] == []
    assert (found.score, found.verdict) == (100, "whole")


def rewrite(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\nmore: 1\n")


def without_intervals(run: RunDir) -> None:
    document = files.read_json(run.metrics)
    for its in document["splits"]["val"]["metrics"].values():
        its.update(low=None, high=None)
    files.write_json(run.metrics, document)


SPOILT: list[tuple[str, Callable[[RunDir], object], str, float, str]] = [
    ("commit", lambda run: said_of(run, git=LOST), "is not in this repository", 0.4, "git fetch origin"),
    ("configuration", lambda run: run.config.unlink(), "missing or damaged", 0.0, "scripts/inv train"),
    ("configuration", lambda run: rewrite(run.config), "changed after the run began", 0.0, "bring back"),
    ("configuration", lambda run: run.overrides.unlink(), "overrides.yaml", 0.7, "scripts/inv train"),
    ("environment", lambda run: run.environment.unlink(), "is missing", 0.0, "scripts/inv train"),
    ("environment", lambda run: rewrite(run.environment), "was changed", 0.0, "bring back"),
    ("checkpoints", lambda run: rewrite(run.checkpoints / BEST), "not what its hash says", 0.0, "bring back"),
    ("checkpoints", lambda run: (run.checkpoints / BEST).unlink(), "is missing", 0.0, "scripts/inv train"),
    ("checkpoints", lambda run: (run.checkpoints / "sha256sums").unlink(), "has no hash", 0.3, "scripts"),
    ("validation", lambda run: run.metrics.unlink(), "no figures of validation", 0.5, "scripts/inv evaluate"),
    ("validation", lambda run: without_intervals(run), "lack intervals", 0.5, "scripts/inv evaluate"),
    ("validation", lambda run: history(run, {3: "val/loss"}), "lacks val/loss", 59 / 60, "scripts/inv train"),
    (
        "learning rate",
        lambda run: run.history.unlink(),
        "missing, empty or damaged",
        0.0,
        "scripts/inv train",
    ),
    ("learning rate", lambda run: run.history.write_text("a\n1\n"), "damaged", 0.0, "scripts/inv train"),
    ("logging interval", lambda run: history(run, {4: "row"}), "epochs are missing", 29 / 30, "scripts"),
]


@pytest.mark.parametrize(("point", "spoil", "said", "share", "fix"), SPOILT)
def test_what_is_missing_or_damaged_costs_its_points(
    root: Path, run: RunDir, point: str, spoil: Callable[[RunDir], object], said: str, share: float, fix: str
) -> None:
    spoil(run)
    found = audited(root, run)
    mark = marks(root, run)[point]
    assert (said in mark.said, mark.share) == (True, pytest.approx(share))
    assert mark.fix.startswith((fix, "train again"))
    assert mark.critical == (mark.point.vital and share < 0.5)
    assert (found.verdict == "not reproducible") == mark.critical
    asked = [one for one in of(found, run).marks if one.share is not None]
    lost = sum(one.point.weight * (1 - (one.share or 0)) for one in asked)
    assert of(found, run).score == pytest.approx(100 - 100 * lost / sum(one.point.weight for one in asked))
    assert found.score < 100


def test_a_single_metric_without_an_interval_lacks_nothing(root: Path, run: RunDir) -> None:
    document = files.read_json(run.metrics)
    document["splits"]["val"]["metrics"]["val/mcc"].update(low=None, high=None)
    files.write_json(run.metrics, document)
    assert audited(root, run).score == 100


def test_a_metric_that_is_damaged_counts_as_undefined(root: Path, run: RunDir) -> None:
    document = files.read_json(run.metrics)
    document["splits"]["val"]["metrics"]["val/mcc"] = "much"
    files.write_json(run.metrics, document)
    assert audited(root, run).score == 100


def test_uncommitted_changes_count_as_whole_only_with_the_whole_patch(root: Path, run: RunDir) -> None:
    patch = b"a patch"
    here = GitState(
        commit=git(root, "rev-parse", "HEAD").strip(), branch="main", dirty=True, patch="git.diff"
    )
    dirty = here.model_copy(update={"patch_sha256": files.sha256_bytes(patch)})
    said_of(run, git=dirty)
    assert marks(root, run)["changes"].share == 0.0  # the patch is not there
    run.git_diff.write_bytes(patch)
    assert marks(root, run)["changes"].share == 1.0
    run.git_diff.write_bytes(patch + b" that somebody edited")
    assert "not the one it was" in marks(root, run)["changes"].said
    run.git_diff.write_bytes(patch)
    said_of(run, git=dirty.model_copy(update={"left_out": ("big.py: 3 MB",)}))
    assert (marks(root, run)["changes"].share, marks(root, run)["changes"].critical) == (0.3, True)
    said_of(run, git=here)
    assert "no patch of them" in marks(root, run)["changes"].said


@pytest.mark.parametrize(
    ("changes", "point", "share"),
    [
        ({"dataset": judged.dataset()}, "data", 0.6),
        ({"dataset": judged.dataset(dvc=DvcVersion(reason="not tracked"))}, "data", 0.6),
        ({"dataset": judged.dataset(synthetic=True)}, "data", 1.0),
        ({"dataset": judged.dataset(split_sha256=None)}, "data", 0.4),
        ({"weights": Weights(source="timm/resnet50.a1_in1k")}, "configuration", 0.6),
        ({"preprocessing": {"image_size": 64, "mean": 0.4}}, "preprocessing", 0.5),
        ({"device": None}, "hardware", 0.75),
        ({"tags": (), "description": ""}, "tags", 0.0),
        ({"tags": (), "description": "the plain recipe"}, "tags", 1.0),
        ({"name": "run-3"}, "name", 0.0),
        ({"name": "resnet50"}, "name", 0.5),
        ({"name": "dual-pathway"}, "name", 1.0),
    ],
)
def test_what_the_manifest_says_is_weighed(
    root: Path, run: RunDir, changes: dict[str, Any], point: str, share: float
) -> None:
    assert marks(root, said_of(run, **changes))[point].share == pytest.approx(share)


def test_another_seed_than_the_configuration_has_is_critical(root: Path, run: RunDir) -> None:
    said_of(run, seed=99)
    assert "manifest.json 99, config.yaml 1" in marks(root, run)["seed"].detail
    assert audited(root, run).verdict == "not reproducible"


def test_weights_that_were_pruned_are_no_loss_that_nobody_knows_of(root: Path, run: RunDir) -> None:
    pruned.delete(run, [pruned.Doomed(f"checkpoints/{BEST}", 9, "old")])
    mark = marks(root, run)["checkpoints"]
    assert (mark.share, mark.critical) == (0.5, False)


def test_a_project_looks_for_weights_and_does_not_read_them(root: Path, run: RunDir) -> None:
    rewrite(run.checkpoints / BEST)
    assert audited(root, run, thorough=False).score == 100
    assert audited(root, run).score < 100


def test_a_commit_that_nobody_recorded_cannot_be_compared_with(root: Path, run: RunDir) -> None:
    said_of(run, git=GitState(reason="no git here"))
    assert "no git here" in marks(root, run)["commit"].detail
    assert marks(root, run)["changes"].share is None


def test_what_cannot_be_asked_of_a_run_counts_neither_way(root: Path, run: RunDir) -> None:
    (run.checkpoints / BEST).unlink()
    run.metrics.unlink()
    assert audited(root, run).score < 90
    samples.result(run.id, state="interrupted", exit_code=143).write(run.result)
    found = of(audited(root, run), run)
    assert [mark.point.id for mark in found.marks if mark.share is None] == ["checkpoints"]
    assert found.score == pytest.approx(100)


def test_a_record_that_does_not_say_what_it_is_has_nothing(root: Path, run: RunDir) -> None:
    broken = RunDir(shutil.copytree(run.path, run.path.with_name(run.id[:-6] + "aaaaaa")))
    broken.manifest.write_text("{")
    found = audited(root, broken, run)
    assert (of(found, broken).score, of(found, run).score) == (0.0, 100.0)
    assert (found.score, found.verdict) == (50, "not reproducible")
    assert "manifest.json" in of(found, broken).problems[0]
