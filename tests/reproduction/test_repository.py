"""Worktrees and trees of a real repository, which is left as it was."""

import os
from pathlib import Path

import pytest

from ctexp.core.errors import PreflightError
from ctexp.record.git import capture
from ctexp.reproduction.repository import Repository
from tests.project import git


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project inside a larger repository, two commits ahead of the one that matters, and dirty."""
    top = tmp_path / "top"
    root = top / "a project"
    root.mkdir(parents=True)
    (root / "code.py").write_text("one = 1\n")
    git(top, "init", "--quiet", "--initial-branch=main")
    git(top, "add", ".")
    git(top, "commit", "--quiet", "--message=start")
    return root


def go_on(root: Path) -> None:
    for number in (2, 3):
        (root / "code.py").write_text(f"one = {number}\n")
        git(root, "commit", "--quiet", "--all", f"--message={number}")
    (root / "code.py").write_text("one = 4\n")


def state(root: Path) -> tuple[str, ...]:
    asked = (
        ("status", "--porcelain"),
        ("diff",),
        ("branch", "--all"),
        ("worktree", "list"),
        ("stash", "list"),
    )
    return tuple(git(root, *words) for words in asked)


def test_the_source_is_commit_and_patch_and_git_is_as_before(project: Path, tmp_path: Path) -> None:
    (project / "code.py").write_text("one = 11\n")
    (project / "mine ä.py").write_text("new = True\n")
    source = capture(project)
    (project / "mine ä.py").unlink()
    git(project, "checkout", "--quiet", "code.py")
    go_on(project)
    before = state(project)
    hook = project.parent / ".git" / "hooks" / "post-checkout"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)

    with Repository(project).worktree(
        source.state.commit or "", source.patch, tmp_path / "there", keep=False
    ) as made:
        assert made.name == "a project"
        assert (made / "code.py").read_text() == "one = 11\n"
        assert (made / "mine ä.py").read_text() == "new = True\n"
        assert capture(made).state.patch_sha256 == source.state.patch_sha256

    assert state(project) == before
    assert not (tmp_path / "there").exists()


def test_nothing_is_left_when_it_is_broken_off_or_refused(project: Path, tmp_path: Path) -> None:
    head = git(project, "rev-parse", "HEAD").strip()
    before = state(project)
    repository = Repository(project)
    with pytest.raises(KeyboardInterrupt), repository.worktree(head, b"", tmp_path / "there", keep=False):
        raise KeyboardInterrupt
    with pytest.raises(PreflightError), repository.worktree(head, b"no patch", tmp_path / "there", keep=True):
        pass
    assert state(project) == before
    assert not (tmp_path / "there").exists()
    assert not repository.has("f" * 40)


def test_what_a_kill_left_is_taken_away(project: Path, tmp_path: Path) -> None:
    before = state(project)
    git(project, "worktree", "add", "--quiet", "--detach", str(tmp_path / "left"), "HEAD")
    Repository(project).remove(tmp_path / "left")
    git(project, "worktree", "add", "--quiet", "--detach", str(tmp_path / "left"), "HEAD")
    (tmp_path / "left" / ".git").unlink()
    Repository(project).remove(tmp_path / "left")
    assert state(project) == before
    assert not (tmp_path / "left").exists()


def test_entries_of_other_worktrees_are_left_alone(project: Path, tmp_path: Path) -> None:
    git(project, "worktree", "add", "--quiet", "--detach", str(tmp_path / "theirs"), "HEAD")
    away = (tmp_path / "theirs").rename(tmp_path / "a disk that is not mounted now")
    Repository(project).remove(tmp_path / "never made")
    away.rename(tmp_path / "theirs")
    assert str(tmp_path / "theirs") in git(project, "worktree", "list")


def test_trees_hold_commit_and_patch_and_are_stored_nowhere(project: Path) -> None:
    head = git(project, "rev-parse", "HEAD").strip()
    (project / "code.py").write_text("one = 11\n")
    patch = capture(project).patch
    git(project, "checkout", "--quiet", "code.py")
    objects = sum(len(files) for _, _, files in os.walk(project.parent / ".git" / "objects"))
    repository = Repository(project)
    with repository.trees((head, b""), (head, patch)) as (trees, variables):
        said = repository.ask("diff", *trees, variables=variables).decode()
    assert "-one = 1\n+one = 11\n" in said
    assert sum(len(files) for _, _, files in os.walk(project.parent / ".git" / "objects")) == objects


def test_outside_a_repository_one_line_says_so(tmp_path: Path) -> None:
    with pytest.raises(PreflightError, match="not a git repository"):
        Repository(tmp_path)
