import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ctexp.record.git import FILE_LIMIT, PATCH_LIMIT, capture, is_source

# A user whose configuration would spoil a naive patch.
HOSTILE = """
[color]
    ui = always
    diff = always
[core]
    quotePath = false
    pager = false
[diff]
    noprefix = true
    mnemonicPrefix = true
    external = false
    renames = copies
    context = 0
    interHunkContext = 9
    algorithm = histogram
    suppressBlankEmpty = true
    relative = false
    submodule = log
    colorMoved = zebra
    orderFile = /nonexistent
    wsErrorHighlight = all
"""


def git(folder: Path, *arguments: str) -> str:
    person = ["-c", "user.name=A", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"]
    plain = os.environ | {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", *person, *arguments], cwd=folder, env=plain, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def put(folder: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of a few committed files, of a user with an awkward configuration."""
    (tmp_path / "gitconfig").write_text(HOSTILE)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_DIFF_OPTS", "-u0")
    root = tmp_path / "project"
    root.mkdir()
    git(root, "init", "-q")
    put(
        root,
        {
            "src/a.py": "".join(f"line {n}\n\n" for n in range(40)),
            "src/b.py": "b = 1\n",
            "conf/config.yaml": "seed: 42\n",
            "scripts/inv": "#!/bin/sh\n",
            ".gitignore": "/data/\n/runs/\n*.local.yaml\n",
            "README.md": "read me\n",
        },
    )
    git(root, "add", ".")
    git(root, "commit", "-qm", "first")
    return root


def tree(root: Path) -> dict[str, tuple[int, bytes]]:
    """Code and configuration of a folder: kind and executability, and content, by path."""
    found = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != ".git"]
        for name in [*names, *folders]:
            path = Path(folder) / name
            if path.is_symlink():
                found[os.path.relpath(path, root)] = (0o120000, os.fsencode(path.readlink()))
            elif path.is_file():
                found[os.path.relpath(path, root)] = (path.stat().st_mode & 0o100, path.read_bytes())
    return {name: about for name, about in found.items() if is_source(name)}


def test_what_only_judges_and_plans_is_no_code_of_a_training(repo: Path) -> None:
    """A move that is added during a night would else make its later runs those of other code."""
    put(repo, {"conf/moves/mine.yaml": "a: 1\n", "conf/verdict.yaml": "alpha: 0.05\n"})
    put(repo, {"conf/sweep/lr_wd_fine.yaml": "method: grid\n"})
    source = capture(repo)
    assert (source.state.dirty, source.patch) == (False, b"")
    put(repo, {"conf/moves.yaml": "a: 1\n"})
    assert capture(repo).state.untracked == ("conf/moves.yaml",)


def assert_patch_restores(project: Path, tmp_path: Path, commit: str | None) -> None:
    """On a clean checkout the patch gives the same code and configuration."""
    source = capture(project)
    clean = tmp_path / "clean"
    if commit:
        top = Path(git(project, "rev-parse", "--show-toplevel"))
        git(tmp_path, "clone", "-q", str(top), str(clean))
        git(clean, "checkout", "-q", commit)
        clean = clean / project.relative_to(top)
    else:
        clean.mkdir()
        git(clean, "init", "-q")
    (tmp_path / "git.diff").write_bytes(source.patch)
    git(clean, "apply", str(tmp_path / "git.diff"))
    assert tree(clean) == tree(project)
    assert source.state.commit == commit
    assert source.state.left_out == ()


def change_some_lines(root: Path) -> None:
    text = (root / "src/a.py").read_text()
    (root / "src/a.py").write_text(
        text.replace("line 7\n", "LINE 7\n").replace("line 11\n", "") + "no newline"
    )


def stage_and_change_again(root: Path) -> None:
    put(root, {"src/b.py": "b = 2\n", "src/new.py": "n = 1\n"})
    git(root, "add", ".")
    put(root, {"src/b.py": "b = 3\n", "src/new.py": "n = 2\n"})


def delete(root: Path) -> None:
    (root / "src/a.py").unlink()
    git(root, "rm", "-q", "src/b.py")


def rename(root: Path) -> None:
    git(root, "mv", "src/a.py", "src/renamed.py")
    (root / "src/b.py").rename(root / "src/c.py")


def forget_but_keep(root: Path) -> None:
    git(root, "rm", "-q", "--cached", "src/a.py", "src/b.py")
    put(root, {"src/b.py": "b = 2\n"})


def change_modes(root: Path) -> None:
    (root / "src/b.py").chmod(0o755)
    (root / "scripts/inv").chmod(0o755)


def odd_names(root: Path) -> None:
    names = [
        "a b.py",
        "naïve ü.py",
        "new\nline.py",
        'quo"te.py',
        "-x.py",
        "*.py",
        "tab\t.yaml",
        ":(glob)x.py",
        "b\\s.py",
    ]
    put(root, {f"conf/{name}": f"# {name!r}\n" for name in names} | {"-top.py": "1\n"})
    Path(os.fsdecode(os.fsencode(root) + b"/src/caf\xe9.py")).write_text("latin\n")


def odd_contents(root: Path) -> None:
    put(root, {"src/empty.py": "", "src/b.py": "b = 1\r\n\r\n"})
    (root / "src/binary.py").write_bytes(bytes(range(256)) * 40)
    (root / "src/latin.py").write_bytes(b"# caf\xe9\n")
    (root / "src/link.py").symlink_to("a.py")
    (root / "src/nowhere.py").symlink_to("/nonexistent")


def change_kinds(root: Path) -> None:
    (root / "src/a.py").unlink()
    (root / "src/a.py").symlink_to("b.py")
    (root / "src/b.py").unlink()
    put(root, {"src/b.py/inner.py": "a folder now\n"})


def leave_a_conflict(root: Path) -> None:
    git(root, "checkout", "-qb", "other")
    put(root, {"src/b.py": "b = 'other'\n"})
    git(root, "commit", "-qam", "other")
    git(root, "checkout", "-q", "main")
    put(root, {"src/b.py": "b = 'main'\n"})
    git(root, "commit", "-qam", "main")
    with pytest.raises(subprocess.CalledProcessError):
        git(root, "merge", "-q", "other")


@pytest.mark.parametrize(
    "change",
    [
        change_some_lines,
        stage_and_change_again,
        delete,
        rename,
        forget_but_keep,
        change_modes,
        odd_names,
        odd_contents,
        change_kinds,
        leave_a_conflict,
    ],
)
def test_the_patch_on_a_clean_checkout_gives_the_same_source(
    change: Callable[[Path], None], repo: Path, tmp_path: Path
) -> None:
    change(repo)
    assert capture(repo).state.dirty
    assert_patch_restores(repo, tmp_path, git(repo, "rev-parse", "HEAD"))


def test_a_project_inside_a_larger_repository_has_its_own_patch(repo: Path, tmp_path: Path) -> None:
    put(repo, {"inner/conf/config.yaml": "seed: 1\n"})
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "inner")
    put(repo, {"inner/conf/config.yaml": "seed: 2\n", "inner/src/new.py": "1\n", "src/b.py": "outside\n"})
    state = capture(repo / "inner").state
    assert (state.changed, state.untracked) == (("conf/config.yaml",), ("src/new.py",))
    assert_patch_restores(repo / "inner", tmp_path, git(repo, "rev-parse", "HEAD"))


def test_before_the_first_commit_the_patch_holds_everything(repo: Path, tmp_path: Path) -> None:
    shutil.rmtree(repo / ".git")
    git(repo, "init", "-q")
    git(repo, "add", "src/a.py")
    state = capture(repo).state
    assert (state.branch, state.reason, state.dirty) == ("main", "no commit yet", True)
    assert_patch_restores(repo, tmp_path, None)


def test_a_clean_checkout_has_no_patch(repo: Path) -> None:
    state, patch = capture(repo)
    assert patch == b""
    assert (state.commit, state.branch) == (git(repo, "rev-parse", "HEAD"), "main")
    assert (state.dirty, state.patch, state.patch_sha256, state.reason) == (False, None, None, None)


def test_a_detached_head_has_no_branch(repo: Path) -> None:
    git(repo, "checkout", "-q", "--detach")
    state = capture(repo).state
    assert state.commit
    assert state.branch is None


def test_outside_a_repository_the_reason_is_told(tmp_path: Path) -> None:
    state, patch = capture(tmp_path)
    assert (state.commit, state.dirty, patch) == (None, None, b"")
    assert "not a git repository" in (state.reason or "")


def test_without_git_the_reason_is_told(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert capture(repo).state.reason == "git is not installed"


def test_the_variables_of_a_git_hook_do_not_lead_elsewhere(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = git(repo, "rev-parse", "HEAD")
    put(repo, {"src/b.py": "b = 2\n"})
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "other-index"))
    state = capture(repo).state
    assert (state.commit, state.changed) == (commit, ("src/b.py",))


def test_looking_changes_nothing_in_the_repository(repo: Path) -> None:
    odd_names(repo)
    stage_and_change_again(repo)
    put(repo, {"src/later.py": "1\n"})

    def inside() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in (repo / ".git").rglob("*") if path.is_file()}

    before = inside()
    capture(repo)
    assert inside() == before


def test_what_is_neither_code_nor_configuration_makes_nothing_dirty(repo: Path) -> None:
    put(
        repo,
        {
            "README.md": "changed\n",
            "notes.csv": "table\n",
            "data/raw/x.py": "ignored anyway\n",
            "research/test_ledger.jsonl": "{}\n",
            "research/plans/night.yaml": "a plan\n",
            "research/results.json": "{}\n",
            "scripts/night.sh": "rendered\n",
            "elsewhere/run_1/config.yaml": "of a run\n",
            ".env": "KEY=secret\n",
            ".env.sh": "KEY=secret\n",
            "scripts/.env": "KEY=secret\n",
            "conf/my.local.yaml": "ignored by git\n",
        },
    )
    (repo / ".gitignore").write_text("*.local.yaml\n")
    git(repo, "commit", "-qam", "no data or runs ignored")
    state, patch = capture(repo, own=[repo / "elsewhere", Path("/somewhere/else")])
    assert not state.dirty
    assert patch == b""


def test_code_of_a_package_called_data_counts(repo: Path) -> None:
    put(repo, {"src/ctexp/data/new.py": "1\n", "src/ctexp/names.txt": "resnet50\n", "conf/x.json": "{}\n"})
    assert capture(repo).state.untracked == ("conf/x.json", "src/ctexp/data/new.py", "src/ctexp/names.txt")


def test_no_secret_enters_a_patch(repo: Path) -> None:
    put(repo, {"conf/secrets.yaml": "key: hunter2\n", "conf/a.yaml": "a: 1\n", ".env.py": "hunter2"})
    state, patch = capture(repo)
    assert b"hunter2" not in patch
    assert b"a: 1" in patch
    assert state.left_out == ("conf/secrets.yaml (it may hold secrets)",)
    assert state.dirty


def test_what_is_too_large_is_left_out_and_listed(repo: Path, tmp_path: Path) -> None:
    put(
        repo,
        {"conf/huge.yaml": "x" * (FILE_LIMIT + 1), "src/b.py": "b = 2\n" * FILE_LIMIT, "src/c.py": "1\n"},
    )
    state, patch = capture(repo)
    assert [line.split(" ")[0] for line in state.left_out] == ["conf/huge.yaml", "src/b.py"]
    assert state.changed == ("src/b.py",)
    (tmp_path / "git.diff").write_bytes(patch)
    git(repo, "stash", "-qu")
    git(repo, "apply", str(tmp_path / "git.diff"))
    assert (repo / "src/c.py").exists()


def test_a_patch_stops_growing_and_lists_the_rest(repo: Path) -> None:
    put(repo, {f"conf/{n:02d}.yaml": "x" * (FILE_LIMIT - 1000) for n in range(25)})
    state, patch = capture(repo)
    assert len(patch) <= PATCH_LIMIT
    assert state.left_out
    assert len(state.left_out) + patch.count(b"\ndiff --git ") + 1 == 25


def test_a_change_in_the_same_instant_as_the_commit_is_seen(repo: Path) -> None:
    """Git tells by size and time which files to look into; the copy of its index must be as old as it is."""
    git(repo, "config", "core.trustCtime", "false")
    os.utime(repo / "src/b.py", (1e9, 1e9))
    git(repo, "update-index", "--refresh")
    put(repo, {"src/b.py": "b = 2\n"})
    for path in (repo / "src/b.py", repo / ".git/index"):
        os.utime(path, (1e9, 1e9))
    assert capture(repo).state.changed == ("src/b.py",)


def test_a_name_that_looks_like_a_pattern_stands_for_itself(repo: Path) -> None:
    put(repo, {"conf/*.yaml": "1\n", "conf/other.yaml": "2\n", ":(top)x.py": "3\n"})
    state, patch = capture(repo)
    assert state.untracked == (":(top)x.py", "conf/*.yaml", "conf/other.yaml")
    assert patch.count(b"diff --git ") == 3
