"""Which source a run really ran: the commit, and a patch of what was not committed.

Only code and configuration count, and of that only what a training may depend on. What ctexp writes itself
(data, runs, the research ledger, rendered queue scripts) never makes a run look changed, nor does what only
judges, plans and asks (the rules of verdicts, the catalogue of moves, the files of sweeps, the handlers of
research), nor where work runs (`conf/executor`); and neither tables nor `.env` files ever enter a patch.

The user's own git configuration is obeyed where it says what is ignored or whose folder is safe, and
overruled where it would change the form of the patch. The repository is only read: untracked files are shown
to `git diff` through a copy of the index.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ctexp.core import files
from ctexp.record.documents import Part, Sha256, Text, printable

FILE_LIMIT = 256 * 1024
"""Bytes of patch one file may take."""

PATCH = "git.diff"
"""The patch's file in a run directory."""

PATCH_LIMIT = 5 * 1024 * 1024
"""Bytes a patch may take."""

_CODE = {".py", ".pyi", ".sh", ".yaml", ".yml", ".toml", ".cfg", ".ini", ".lock"}
_PROGRAM_FOLDERS = {"scripts", ".ci"}
_NOT_OF_TRAINING = tuple(
    map(
        PurePosixPath, ("conf/executor", "conf/moves", "conf/sweep", "conf/verdict.yaml", "research/handlers")
    )
)
_WRITTEN_BY_US = {"data", "runs", "wandb"}
_TIMEOUT = 60.0

_FORM = [
    *("-c", "core.quotePath=true", "-c", "core.fsmonitor=false", "-c", "core.splitIndex=false"),
    *("-c", "diff.suppressBlankEmpty=false", "-c", "diff.orderFile=/dev/null", "-c", "diff.relative=false"),
]
_DIFF = [
    *("diff", "--binary", "--full-index", "--no-renames", "--no-color", "--no-ext-diff", "--no-textconv"),
    *("--src-prefix=a/", "--dst-prefix=b/", "--unified=3", "--inter-hunk-context=0"),
    *("--diff-algorithm=myers", "--ignore-submodules=all"),
]


class GitState(Part):
    """What git says about the source of one attempt.

    Attributes:
        commit: of `HEAD`; null before the first commit and outside a repository.
        branch: null where `HEAD` is detached, and outside a repository.
        dirty: whether code or configuration differs from the commit; null where that is unknown.
        changed: tracked files of that kind that differ, relative to the project.
        untracked: files of that kind that git does not know.
        left_out: those of both that the patch lacks, each with the reason.
        patch: the patch's file, relative to the run directory; null where there is nothing to patch.
        reason: why something above is unknown; null where all is known.
    """

    commit: str | None = None
    branch: Text | None = None
    dirty: bool | None = None
    changed: tuple[Text, ...] = ()
    untracked: tuple[Text, ...] = ()
    left_out: tuple[Text, ...] = ()
    patch: str | None = None
    patch_sha256: Sha256 | None = None
    reason: Text | None = None


class Source(NamedTuple):
    """The source as it stands: what to write down about it, and the patch (empty where nothing changed)."""

    state: GitState
    patch: bytes


class _NoAnswer(Exception):
    """Git could not tell; the text says why."""


def capture(root: Path, own: Iterable[Path] = (), counts: Callable[[str], bool] | None = None) -> Source:
    """Look at the project's source as it is now.

    The patch applies with `git apply`, anywhere in a clean checkout of the commit (in an empty repository
    where there is no commit yet), and then gives the same code and configuration, except for what `left_out`
    names.

    Args:
        root: the project's folder, which may lie inside a larger repository.
        own: folders ctexp writes to, apart from `data`, `runs` and `wandb` in the project.
        counts: which files to look at, by their names relative to the project; else those of `is_source`.
    """
    commit = branch = None
    try:
        if _git(root, "rev-parse", "--is-inside-work-tree").strip() != b"true":
            raise _NoAnswer("not inside a git work tree")
        commit = _asked(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        branch = _asked(root, "symbolic-ref", "--quiet", "--short", "HEAD")
        folders = {PurePosixPath(folder) for folder in _inside(root, own)}
        changed, untracked, left_out, content = _uncommitted(root, commit, folders, counts or is_source)
    except (_NoAnswer, OSError) as error:
        return Source(GitState(commit=commit, branch=branch, reason=str(error)), b"")
    state = GitState(
        commit=commit,
        branch=branch,
        dirty=bool(changed or untracked),
        changed=tuple(changed),
        untracked=tuple(untracked),
        left_out=tuple(left_out),
        patch=PATCH if content else None,
        patch_sha256=files.sha256_bytes(content) if content else None,
        reason=None if commit else "no commit yet",
    )
    return Source(state, content)


def is_source(path: str) -> bool:
    """Whether a file of the project, named relative to it, is code or configuration.

    Code is told by its suffix, and by having none in `scripts/` and `.ci/`. JSON and plain text count in
    `conf/` and `src/` only. In `research/` and `scripts/` ctexp writes YAML and shell scripts itself: there
    only Python and programs do. The catalogue of moves, the rules of verdicts, the places where work runs,
    the files of sweeps, which every sweep keeps its own of, and handlers, which their answers keep the hash
    of, train nothing.
    """
    file = PurePosixPath(path)
    folder, suffix = file.parts[0], file.suffix.lower()
    if any(file.is_relative_to(one) for one in _NOT_OF_TRAINING):
        return False
    if path.endswith("/") or file.name.startswith(".env") or folder in _WRITTEN_BY_US:
        return False
    if not suffix:
        return folder in _PROGRAM_FOLDERS and not file.name.startswith(".")
    if folder in {"research", "scripts"}:
        return suffix in {".py", ".pyi"}
    return suffix in _CODE or (suffix in {".json", ".txt"} and folder in {"conf", "src"})


def sources_between(root: Path, one: str, other: str) -> list[str] | None:
    """Code and configuration in which two commits differ; None where git does not know them both.

    Args:
        root: the project's folder.
        one: a commit.
        other: another.
    """
    try:
        return [
            path
            for path in _names(_git(root, *_DIFF, "--relative", "--name-only", "-z", one, other))
            if is_source(path)
        ]
    except (_NoAnswer, OSError):
        return None


def lines_ever_committed(root: Path, file: Path) -> list[str]:
    """The lines that commits up to `HEAD` have added to a file, oldest first; none outside a repository.

    Args:
        root: the project's folder.
        file: inside it; it need not exist.
    """
    found = ("log", "--full-history", "--topo-order", "--reverse", "--format=", *_DIFF[1:-1], "--patch")
    try:
        name = file.relative_to(root).as_posix()
        told = _git(root, *found, "--unified=0", "--text", "--", name).decode("utf-8", "replace")
    except (_NoAnswer, OSError):
        return []
    return [line[1:].rstrip("\r") for line in told.split("\n") if line[:1] == "+" and line[:4] != "+++ "]


def _uncommitted(
    root: Path, commit: str | None, own: set[PurePosixPath], is_wanted: Callable[[str], bool]
) -> tuple[list[str], list[str], list[str], bytes]:
    """Changed files, untracked files, what was left out of the patch, and the patch."""
    base = commit or _git(root, "hash-object", "-t", "tree", "--stdin").decode().strip()

    def counts(path: str) -> bool:
        return is_wanted(path) and own.isdisjoint(PurePosixPath(path).parents)

    with tempfile.TemporaryDirectory(prefix="ctexp-git-") as folder:
        index = _own_index(root, Path(folder))
        listed = _names(_git(root, "ls-files", "--others", "--exclude-standard", "-z"))
        # A file can vanish while we look; git refuses names that are no more.
        unknown = {path for path in listed if counts(path) and os.path.lexists(root / path)}
        if unknown:
            names = b"\0".join(os.fsencode(path) for path in sorted(unknown))
            intent = ("add", "--intent-to-add", "--pathspec-from-file=-", "--pathspec-file-nul")
            _git(root, *intent, index=index, stdin=names)
        differing = _names(
            _git(root, *_DIFF, "--relative", "--name-only", "-z", base, "--", ".", index=index)
        )
        # An unmerged file is named twice.
        paths = sorted({path for path in differing if counts(path)})
        pieces: list[bytes] = []
        left_out: list[str] = []
        total = 0
        for path in paths:
            piece, why = _piece(root, path, base, index, new=path in unknown)
            if not why and total + len(piece) > PATCH_LIMIT:
                why = f"the patch would exceed {PATCH_LIMIT // 1024} KB"
            if why:
                left_out.append(printable(f"{path} ({why})"))
            else:
                pieces.append(piece)
                total += len(piece)
    return (
        [printable(path) for path in paths if path not in unknown],
        [printable(path) for path in paths if path in unknown],
        left_out,
        b"".join(pieces),
    )


def _piece(root: Path, path: str, base: str, index: dict[str, str], new: bool) -> tuple[bytes, str]:
    """The patch of one file, or the reason why it is left out."""
    too_large = f"over {FILE_LIMIT // 1024} KB"
    name = PurePosixPath(path).name.lower()
    if not name.endswith((".py", ".pyi")) and ("secret" in name or "credential" in name):
        return b"", "it may hold secrets"
    try:
        if new and (root / path).lstat().st_size > FILE_LIMIT:
            return b"", too_large
        piece = _git(root, *_DIFF, base, "--", path, index=index)
    except (OSError, _NoAnswer) as error:
        return b"", f"cannot be read: {error}"
    return (piece, "") if len(piece) <= FILE_LIMIT else (b"", too_large)


def _own_index(root: Path, folder: Path) -> dict[str, str]:
    """Variables that give git a copy of the index to play with, and a place for what it would store."""
    original = _git_path(root, "index")
    # None is there where nothing was ever added.
    if original.exists():
        # Its time is copied too: git tells by it which files to look at again.
        shutil.copy2(original, folder / "index")
    objects = str(_git_path(root, "objects")).replace("\\", r"\\").replace('"', r"\"")
    return {
        "GIT_INDEX_FILE": str(folder / "index"),
        "GIT_OBJECT_DIRECTORY": str(folder),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": f'"{objects}"',
    }


def _git_path(root: Path, name: str) -> Path:
    """Where git keeps something of its own."""
    return root.resolve() / os.fsdecode(_git(root, "rev-parse", "--git-path", name).rstrip(b"\n"))


def _inside(root: Path, folders: Iterable[Path]) -> Iterator[str]:
    """Those folders that lie inside `root`, relative to it."""
    for folder in folders:
        absolute = (root / folder).resolve()
        if absolute != root.resolve() and absolute.is_relative_to(root.resolve()):
            yield absolute.relative_to(root.resolve()).as_posix()


def _names(answer: bytes) -> list[str]:
    """NUL-separated paths."""
    return [os.fsdecode(name) for name in answer.split(b"\0") if name]


def _asked(root: Path, *question: str) -> str | None:
    """The one-line answer, or None where git says there is none."""
    try:
        return os.fsdecode(_git(root, *question)).strip()
    except _NoAnswer:
        return None


def environment() -> dict[str, str]:
    """This process's environment for git: in no user's language, and of the repository that it is run in."""
    # Inside a hook git's own variables point at another repository or index; those of its configuration stay.
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name.startswith(("GIT_CONFIG", "GIT_CEILING", "GIT_DISCOVERY"))
    }
    return kept | {"LC_ALL": "C"}


def _git(root: Path, *arguments: str, index: dict[str, str] | None = None, stdin: bytes = b"") -> bytes:
    """Run git in `root`, in no user's language, pager, colour or index but those we name."""
    ours = {"GIT_OPTIONAL_LOCKS": "0", "GIT_LITERAL_PATHSPECS": "1"}
    try:
        done = subprocess.run(
            ["git", "--no-pager", *_FORM, *arguments],
            cwd=root,
            env=environment() | ours | (index or {}),
            input=stdin,
            capture_output=True,
            timeout=_TIMEOUT,
            check=True,
        )
    except FileNotFoundError as error:
        raise _NoAnswer("git is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise _NoAnswer(f"git {arguments[0]} took longer than {_TIMEOUT:.0f} s") from error
    except subprocess.CalledProcessError as error:
        said = os.fsdecode(error.stderr).strip().splitlines() or [f"exit status {error.returncode}"]
        raise _NoAnswer(f"git {arguments[0]}: {said[0]}") from error
    return done.stdout
