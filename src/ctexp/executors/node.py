"""`python -P -m ctexp.executors.node URL NAME`: a piece of work on a machine that lacks the project's folder.

The project is unpacked into a folder of its own and the program run there; what it writes goes back as it
comes: checkpoints, records, figures. Data sets stay, for the next piece of work. What the program prints is
printed here, SIGTERM is passed on to it, and its exit code is that of this process.
"""

import contextlib
import getpass
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ctexp.core import files, heartbeat, names
from ctexp.core.errors import DataError, PreflightError, UsageError
from ctexp.core.locks import HELD, FileLock
from ctexp.core.parent_death import die_with_parent, tied_to_this
from ctexp.core.stopping import Requests
from ctexp.data.versions import dvc
from ctexp.data.versions.exchange import pull_if_missing
from ctexp.executors.errand import Order, key
from ctexp.executors.program import carried_out
from ctexp.executors.snapshot import extract, unpack
from ctexp.executors.storage import Place, Url
from ctexp.executors.written import Written

_LOOK_SECONDS = 0.1

_OTHERS_SECONDS = 3600.0
"""For another piece of work that has just begun to fetch the same data set."""

_NOT_OF_A_NODE = (HELD, "CTEXP_REFEREE", "CTEXP_WARM")
"""Descriptors and sockets of other machines, or of processes that are not this one's parents."""

_NOT_FROM_ELSEWHERE = (*_NOT_OF_A_NODE, "CUDA_VISIBLE_DEVICES", heartbeat.VARIABLE)
"""Variables that mean something on the machine that ordered the work alone."""


def words_of(url: str, name: str) -> list[str]:
    """The program that does a piece of work on a node, for the node's own `python`.

    Args:
        url: of the storage, as the node reaches it.
        name: of the errand.
    """
    return ["python", "-P", "-m", "ctexp.executors.node", url, name]


def has_set(its: str) -> bool:
    """Whether a data set is here already."""
    return its.startswith("data/") and _kept(its).is_dir()


@contextlib.contextmanager
def scratch(below: str) -> Iterator[Path]:
    """A folder of this node that is removed at the end; those of processes that were killed are removed now.

    Args:
        below: the name of the folder in which it is, one for each purpose.
    """
    base = _base() / below
    files.make_folder(base)
    for left in base.glob("*.lock"):
        if not FileLock(left, "").is_held():
            shutil.rmtree(left.with_suffix(""), ignore_errors=True)
            left.unlink(missing_ok=True)
    name = names.short_id()
    with FileLock(base / f"{name}.lock", "a piece of work") as lock:
        files.make_folder(base / name)
        try:
            yield base / name
        finally:
            shutil.rmtree(base / name, ignore_errors=True)
            lock.path.unlink(missing_ok=True)


def main(words: list[str]) -> int:
    """Do it; the exit code of the program, or minus the signal that killed it.

    Raises:
        UsageError: the words are wrong.
        CtexpError: it cannot be begun here, or what it wrote cannot be sent back.
    """
    if len(words) != 2:
        raise UsageError("node: expected URL NAME")
    url, name = words
    place = Url(url)
    with scratch("work") as folder:
        if not place.get(f"{key(name)}/order.json", folder / "order.json"):
            raise DataError(f"{url}: nothing is ordered under {name}", "it has ended, or was never sent")
        return _Here(Order.read(folder / "order.json"), name, place, _base(), folder).carried_out()


@dataclass(frozen=True)
class _Here:
    """A piece of work, and where it is done.

    Attributes:
        base: this node's folder for all of them.
        folder: for this one.
    """

    order: Order
    name: str
    place: Place
    base: Path
    folder: Path

    def carried_out(self) -> int:
        """Unpack, run, send; see `main`."""
        tar = self.folder / "project.tar"
        if not self.place.get(f"{key(self.name)}/project.tar", tar):
            raise DataError(
                f"{self.name}: its project is missing in the storage",
                "start again what wanted it",
            )
        unpack(tar, self.folder / "repository")
        tar.unlink()
        self._have_data()
        written = Written(self.place, f"{key(self.name)}/out", self.root)
        passed_on = 0
        with Requests() as asked:
            child = self._begun()
            while child.poll() is None:
                if passed_on < bool(asked.signum) + asked.insisted:
                    child.terminate()
                    passed_on += 1
                written.send_in_time()
                time.sleep(_LOOK_SECONDS)
            written.send_the_last()
        return child.returncode

    @property
    def root(self) -> Path:
        """The project's folder here."""
        return self.folder / "repository" / self.order.below

    def _have_data(self) -> None:
        """Put the data sets into the project, from those that are here already, where they are."""
        data = self.root / "data"
        files.make_folder(data)
        cache = self.base / "cache"
        files.make_folder(cache)
        (data / "cache").symlink_to(cache)
        for its in self.order.sets:
            kept = _kept(its)
            lock = FileLock(self.base / f"{kept.name}.lock", f"data set {kept.name}")
            lock.acquire(_OTHERS_SECONDS)
            if not kept.is_dir():
                self._fetch(its, kept)
            lock.release()
            shutil.copytree(kept, data, copy_function=os.link, dirs_exist_ok=True)
        for name in self.order.pulls:
            dvc.run(self.root, "config", "--local", "cache.dir", str(self.base / "dvc"))
            pull_if_missing(self.root, data, name)

    def _fetch(self, its: str, kept: Path) -> None:
        new = self.folder / "set"
        tar = self.folder / "set.tar"
        if not self.place.get(its, tar):
            raise DataError(
                f"{its}: missing in the storage",
                "remove the storage's folder data/, and start again what wanted it",
            )
        extract(tar, new)
        tar.unlink()
        files.make_folder(kept.parent)
        new.rename(kept)

    def _begun(self) -> "subprocess.Popen[bytes]":
        words = self._words()
        try:
            return subprocess.Popen(words, cwd=self.root, env=self._environment(), preexec_fn=tied_to_this())
        except OSError as error:
            raise PreflightError(
                f"{words[0]}: cannot be run on {os.uname().nodename} ({error.strerror})",
                "name a program that is there, `python` or `inv`",
            ) from error

    def _words(self) -> list[str]:
        """The program and its arguments; one of the environment that ordered it is one of this one's.

        An environment may lie in the project, which is here without it.
        """
        program, *rest = self.order.words
        if program in ("python", self.order.python):
            program = sys.executable
        elif program == "inv" or Path(program).parent == Path(self.order.python).parent:
            program = str(Path(sys.executable).with_name(Path(program).name))
        else:
            program = self._of_here(program)
        return [program, *map(self._of_here, rest)]

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name not in _NOT_OF_A_NODE}
        its = {
            name: self._of_here(value)
            for name, value in self.order.environment.items()
            if name not in _NOT_FROM_ELSEWHERE
        }
        code = self.root / "src"
        own = {"PYTHONPATH": str(code)} if (code / "ctexp").is_dir() else {}
        return inherited | its | own | {"CTEXP_ROOT": str(self.root)}

    def _of_here(self, word: str) -> str:
        """A word with this node's paths in place of those of the machine that ordered it."""
        before, equals, value = word.rpartition("=")
        for there, here in (("runs", "runs"), ("data", "data"), ("root", "")):
            path = getattr(self.order, there)
            if value == path or value.startswith(f"{path}/"):
                return f"{before}{equals}{self.root / here}{value.removeprefix(path)}"
        return word


def _base() -> Path:
    """This node's folder for all pieces of work."""
    return Path(tempfile.gettempdir()) / f"ctexp-node-{getpass.getuser()}"


def _kept(its: str) -> Path:
    """Where a data set stays."""
    return _base() / "sets" / Path(its).stem


if __name__ == "__main__":
    die_with_parent()
    raise SystemExit(carried_out(lambda: main(sys.argv[1:])))
