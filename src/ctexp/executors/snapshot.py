"""The project as it is, in one file: its last commit, its files as they stand, and what else is named.

Unpacked elsewhere it is a git repository of the same commit with the same changes, so that runs made there
say the same of their source as runs made here.
"""

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ctexp.core import yaml_file
from ctexp.core.errors import DataError, PreflightError
from ctexp.record import git

_LIMIT = 50 * 2**20
"""Bytes of one file that no commit has."""

_PERSONAL = Path("conf") / "local.yaml"
_RUNS = "runs"
_TIMEOUT = 300.0


@dataclass(frozen=True)
class Project:
    """Where a project lies here.

    Attributes:
        root: its folder.
        data: the data folder.
        runs: the folder of all runs.
    """

    root: Path
    data: Path
    runs: Path

    def elsewhere(self, path: Path) -> str:
        """What a file or folder is called in another copy of the project, relative to it.

        Runs lie in `runs` there, wherever they do here.

        Raises:
            PreflightError: it is outside of the project.
        """
        if path.is_relative_to(self.runs):
            return str(_RUNS / path.relative_to(self.runs))
        if path.is_relative_to(self.root):
            return str(path.relative_to(self.root))
        raise PreflightError(
            f"{path}: outside of the project, and the nodes have no file system in common with this machine",
            "put it into the project, or use an executor with a shared file system",
        )

    def here(self, path: str) -> Path:
        """The opposite of `elsewhere`."""
        first, *rest = PurePosixPath(path).parts
        return self.runs.joinpath(*rest) if first == _RUNS else self.root / path


def pack(project: Project, needs: Iterable[Path], file: Path) -> str:
    """Write a project into a tar file.

    Args:
        project: that.
        needs: files and folders of it that git does not know.
        file: to be written.

    Returns:
        Where in the repository the project lies; empty where it is the whole of it.

    Raises:
        PreflightError: the project is no git repository with a commit, a file that no commit has is too large
            to go along, a link leads to an absolute path, or something that is needed lies elsewhere.
    """
    below = _git(project.root, "rev-parse", "--show-prefix").decode().strip().rstrip("/")
    top = Path(_git(project.root, "rev-parse", "--show-toplevel").decode().strip())
    with tempfile.TemporaryDirectory(prefix="ctexp-pack-") as scratch:
        clone = Path(scratch) / "clone"
        # Its files are taken from here, as they stand.
        words = ("clone", "--quiet", "--depth=1", "--no-tags", "--no-checkout")
        _git(project.root, *words, top.as_uri(), str(clone))
        with tarfile.open(file, "w") as tar:
            tar.add(clone / ".git", ".git", filter=_nobodys)
            for path in _files(project):
                name = PurePosixPath(below, path)
                tar.add(project.root / path, str(name), recursive=False, filter=_nobodys)
            for need in needs:
                tar.add(need, str(PurePosixPath(below, project.elsewhere(need))), filter=_nobodys)
            if settings := _personal(project.root):
                about = tarfile.TarInfo(str(PurePosixPath(below, _PERSONAL)))
                about.size = len(settings)
                tar.addfile(about, io.BytesIO(settings))
    return below


def unpack(file: Path, folder: Path) -> None:
    """Make the repository that was packed.

    Args:
        file: what `pack` wrote.
        folder: to be made; it must not exist.

    Raises:
        DataError: it is damaged.
        PreflightError: git is missing, or refuses.
    """
    extract(file, folder)
    _git(folder, "reset", "--quiet")


def extract(file: Path, folder: Path) -> None:
    """Unpack a tar file, none of whose members may lead out of the folder.

    Raises:
        DataError: it is damaged, or one does.
    """
    try:
        with tarfile.open(file) as tar:
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise DataError(f"{file.name}: damaged on its way ({error})", "start again what wanted it") from error


def _files(project: Project) -> Iterator[str]:
    """Those that git has or would take, as far as they exist, by their names relative to the project.

    Raises:
        PreflightError: some are too large, or links to absolute paths.
    """
    listed = _git(project.root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    tracked = set(
        _git(project.root, "ls-files", "-z", "--cached").decode(errors="surrogateescape").split("\0")
    )
    problems = []
    for path in sorted(set(filter(None, listed.decode(errors="surrogateescape").split("\0")))):
        file = project.root / path
        is_own = any(file.is_relative_to(folder) for folder in (project.data, project.runs))
        if is_own or file.name.startswith(".env") or not (file.is_symlink() or file.is_file()):
            continue
        if path not in tracked and file.lstat().st_size > _LIMIT:
            problems.append(f"{path}: over {_LIMIT // 2**20} MB, and no commit has it")
        elif file.is_symlink() and file.readlink().is_absolute():
            problems.append(f"{path}: a link to an absolute path, which means nothing on another machine")
        else:
            yield path
    if problems:
        raise PreflightError(problems, "commit what is large, move it into data/, or name it in .gitignore")


def _personal(root: Path) -> bytes:
    """What a person has set for this project, but where things lie; empty where there is nothing."""
    if not (root / _PERSONAL).is_file():
        return b""
    settings = yaml_file.read_mapping(root / _PERSONAL)
    settings.pop("paths", None)
    return yaml_file.dump(settings).encode()


def _nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """A file of whoever unpacks it."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _git(folder: Path, *words: str) -> bytes:
    """What git says.

    Raises:
        PreflightError: it is missing, or refuses.
    """
    try:
        done = subprocess.run(
            ["git", *words],
            cwd=folder,
            env=git.environment(),
            capture_output=True,
            timeout=_TIMEOUT,
            check=True,
        )
    except FileNotFoundError as error:
        raise PreflightError(
            "git is not installed", "install it: what runs elsewhere is taken from git"
        ) from error
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = " ".join((error.stderr or b"").decode(errors="replace").split()) or str(error)
        raise PreflightError(
            f"{folder}: git {words[0]}: {said}",
            "what runs elsewhere is taken from git: commit the project",
        ) from error
    return done.stdout
