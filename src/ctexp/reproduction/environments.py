"""The packages of a run, installed again: by uv, from the lock file of its commit, every file by its hash.

An environment is kept for each lock file and Python in `.uv/environments/`, where `scripts/inv` keeps its own
things; uv links the files of its cache, so that a second environment takes little disk and seconds.
"""

import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ctexp.core import files
from ctexp.core.errors import PreflightError
from ctexp.core.locks import FileLock
from ctexp.reproduction.verdict import Packages

_LOCKS = ("requirements.lock", "requirements-dev.lock")
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)", re.MULTILINE)
_HERE = "--here makes it again in this project's own environment, and lists what differs there"
_OURS = "ctexp=="
_PATIENCE = 3600.0


@dataclass(frozen=True)
class Environment:
    """Where to train.

    Attributes:
        python: its program.
        packages: what it is, for the verdict.
    """

    python: Path
    packages: Packages


def here() -> Environment:
    """This process's own."""
    return Environment(Path(sys.executable), Packages(made_by="here", python=platform.python_version()))


def locked(
    root: Path, project: Path, python: str, recorded: Sequence[str], tell: Callable[[str], None]
) -> Environment:
    """The environment of a lock file, made where it is not there yet.

    Of the two lock files in `project` that one is taken that comes nearest to the `recorded` packages.

    Raises:
        PreflightError: there is no lock file or no uv, or uv could not install it.
    """
    lock = _nearest(project, recorded)
    content = lock.read_bytes()
    key = files.sha256_bytes(content + python.encode())[:16]
    folder = root / ".uv" / "environments" / key
    about = folder / "made_of"
    files.make_folder(folder.parent)
    with _alone(folder):
        if not about.is_file():
            tell(f"installing {lock.name} of that commit by its hashes, for Python {python}")
            _install(root, folder, lock, python)
            files.write_text(about, f"{lock.name} {python}\n")
    found = folder / "bin" / "python"
    said = subprocess.run([found, "-V"], capture_output=True, text=True, check=True).stdout.split()[-1]
    digest = files.sha256_bytes(content)
    return Environment(found, Packages(made_by="uv", python=said, lock=lock.name, lock_sha256=digest))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Whoever comes second waits until the environment is there for both."""
    lock = FileLock(folder.with_name(f"{folder.name}.lock"), "an environment that is being installed")
    lock.acquire(_PATIENCE)
    try:
        yield
    finally:
        lock.release()


def _nearest(project: Path, recorded: Sequence[str]) -> Path:
    """The lock file that lacks the fewest of the recorded packages, and of equal ones the smaller."""
    pins = {}
    for name in _LOCKS:
        if (project / name).is_file():
            text = (project / name).read_text()
            pins[name] = {f"{_normal(package)}=={version}" for package, version in _PIN.findall(text)}
    if not pins:
        raise PreflightError("the recorded commit has no requirements.lock", _HERE)
    wanted = {package for package in recorded if not package.startswith(_OURS)}
    return project / min(pins, key=lambda name: (len(wanted - pins[name]), len(pins[name])))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _install(root: Path, folder: Path, lock: Path, python: str) -> None:
    """Make it from nothing; what a broken start left goes first."""
    shutil.rmtree(folder, ignore_errors=True)
    uv = _find_uv(root)
    minor = python.rpartition(".")[0]
    try:
        # The very Python, else another of its kind: that it differs is told with the verdict.
        if not any(
            _run(uv, "venv", "--quiet", "--python", one, str(folder)) is None for one in (python, minor)
        ):
            raise PreflightError(f"uv has no Python {python} or {minor}, and could not get one", _HERE)
        # From / uv does not see the date in pyproject.toml, as in scripts/inv: here the hashes decide.
        sync = ("pip", "sync", "--directory", "/", "--python", str(folder / "bin" / "python"))
        hashes = ("--require-hashes", "--build-constraints", str(lock), "--quiet", str(lock))
        if (said := _run(uv, *sync, *hashes)) is not None:
            raise PreflightError(
                f"uv could not install {lock.name}: {said}", f"is the index reachable? {_HERE}"
            )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _run(uv: str, *words: str) -> str | None:
    """What uv said when it failed, its last line; None where it did not."""
    done = subprocess.run([uv, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return (done.stderr.strip().splitlines() or ["nothing"])[-1] if done.returncode else None


def _find_uv(root: Path) -> str:
    """Where `scripts/inv` finds it: beside the project, else on PATH; one that pyproject.toml can do with."""
    for uv in (root / ".uv/bin/uv", root / ".uv/lib/bin/uv", "uv"):
        found = shutil.which(uv)
        if found and not subprocess.run([found, "python", "dir"], cwd=root, capture_output=True).returncode:
            return found
    raise PreflightError(
        "no uv that pyproject.toml can do with is in .uv/ or on PATH",
        f"python3 -m venv .uv && .uv/bin/pip install --upgrade uv; or {_HERE}",
    )
