"""A project that is taken elsewhere says the same of its source there."""

from pathlib import Path

import pytest

from ctexp.core.errors import DataError, PreflightError
from ctexp.executors import snapshot
from ctexp.executors.snapshot import Project, pack, unpack
from ctexp.record import git as sources
from tests.project import git


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = tmp_path / "there" / "project"
    for path, text in {
        "tasks.py": "one\n",
        "conf/config.yaml": "paths: {data: data, runs: runs}\n",
        "src/changed.py": "before\n",
        "src/removed.py": "is no more\n",
        "README.md": "words\n",
        ".gitignore": "/data/\n/runs/\n/conf/local.yaml\n.env\n",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    git(root, "init", "--quiet", "--initial-branch=work")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message=start")
    return Project(root, root / "data", root / "runs")


def taken(project: Project, folder: Path, *needs: Path) -> Path:
    below = pack(project, needs, folder / "project.tar")
    unpack(folder / "project.tar", folder / "repository")
    return folder / "repository" / below


def test_it_is_of_the_same_commit_with_the_same_changes(tmp_path: Path, project: Project) -> None:
    (project.root / "src" / "changed.py").write_text("after\n")
    (project.root / "src" / "removed.py").unlink()
    (project.root / "src" / "new [1].py").write_text("nobody has committed this\n")
    (project.root / "src" / "link.py").symlink_to("changed.py")
    here, there = sources.capture(project.root), sources.capture(taken(project, tmp_path))
    assert there.state == here.state
    assert there.state.dirty
    assert there.state.branch == "work"
    assert there.patch == here.patch


def test_data_runs_and_secrets_stay_but_what_is_needed_goes_along(tmp_path: Path, project: Project) -> None:
    for path in ("data/raw/a.png", "runs/a_1/manifest.json", "runs/b_2/manifest.json", ".env", ".env.test"):
        (project.root / path).parent.mkdir(parents=True, exist_ok=True)
        (project.root / path).write_text(path)
    (project.root / "conf" / "local.yaml").write_text("paths: {data: /disk}\nlogger: {timeout: 7}\n")
    root = taken(project, tmp_path, project.runs / "a_1")
    assert (root / "runs" / "a_1" / "manifest.json").read_text() == "runs/a_1/manifest.json"
    assert sorted(path.name for path in root.iterdir()) == [
        ".git",
        ".gitignore",
        "README.md",
        "conf",
        "runs",
        "src",
        "tasks.py",
    ]
    assert [path.name for path in (root / "runs").iterdir()] == ["a_1"]
    assert (root / "conf" / "local.yaml").read_text() == "logger:\n  timeout: 7\n"


def test_runs_that_lie_elsewhere_here_lie_in_the_project_there(tmp_path: Path, project: Project) -> None:
    its = Project(project.root, project.data, tmp_path / "disk" / "runs")
    (its.runs / "a_1").mkdir(parents=True)
    (its.runs / "a_1" / "manifest.json").write_text("a")
    root = taken(its, tmp_path, its.runs / "a_1")
    assert (root / "runs" / "a_1" / "manifest.json").read_text() == "a"
    assert its.here("runs/a_1/manifest.json") == its.runs / "a_1" / "manifest.json"
    assert its.here("research/FINDINGS.md") == its.root / "research" / "FINDINGS.md"


def test_a_project_inside_of_a_larger_repository(tmp_path: Path, project: Project) -> None:
    inner = project.root / "deep" / "er"
    (inner / "conf").mkdir(parents=True)
    (inner / "conf" / "config.yaml").write_text("paths: {data: data, runs: runs}\n")
    git(project.root, "add", ".")
    git(project.root, "commit", "--quiet", "--message=inner")
    its = Project(inner, inner / "data", inner / "runs")
    here, there = sources.capture(inner), sources.capture(root := taken(its, tmp_path))
    assert (root / "conf" / "config.yaml").is_file()
    assert there.state == here.state


def test_what_cannot_go_along_is_refused(
    tmp_path: Path, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PreflightError, match="no file system in common"):
        taken(project, tmp_path, Path("/etc/hostname"))
    monkeypatch.setattr(snapshot, "_LIMIT", 10)
    (project.root / "weights.bin").write_bytes(bytes(11))
    with pytest.raises(PreflightError, match=r"weights\.bin: over .* no commit has it"):
        taken(project, tmp_path)


def test_a_folder_that_is_no_repository_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    its = Project(tmp_path / "bare", tmp_path / "bare" / "data", tmp_path / "bare" / "runs")
    with pytest.raises(PreflightError, match="not a git repository"):
        pack(its, [], tmp_path / "project.tar")


@pytest.mark.parametrize("content", [b"", b"no tar", b"\x1f\x8b\x08broken"])
def test_what_was_damaged_on_its_way_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "set.tar").write_bytes(content)
    with pytest.raises(DataError, match=r"^set\.tar: damaged on its way"):
        snapshot.extract(tmp_path / "set.tar", tmp_path / "set")
