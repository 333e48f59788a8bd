"""A piece of work that goes to a machine without this one's file system, by way of a storage; see `node.py`.

work/<name>/order.json     what to do              work/<name>/project.tar    where: see `snapshot.py`
work/<name>/out.json, out/ what it wrote so far    data/<set>-<hash>.tar      data sets, which stay
"""

import contextlib
import hashlib
import os
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path, PurePosixPath

from ctexp.config.compose import compose, resolve_paths
from ctexp.core import heartbeat, names
from ctexp.core.errors import Busy, DataError, PreflightError, UsageError
from ctexp.core.locks import FileLock
from ctexp.data.catalog import catalog_file
from ctexp.data.versions.lock_file import is_recorded
from ctexp.executors.protocol import Work
from ctexp.executors.snapshot import Project, pack
from ctexp.executors.storage import Place, Received, get_bytes, put_bytes
from ctexp.record.documents import Document, Text
from ctexp.record.run_dir import RUN_ID, RunDir

_UNREACHABLE_SECONDS = 300.0
"""A storage that cannot be read for so long is an error; networks fail for a moment all the time."""


_AGAIN_SECONDS = 5.0


class Order(Document):
    """What a node is told.

    Attributes:
        words: the program and its arguments, with the paths of the machine that ordered it.
        environment: what its environment has besides the node's.
        python: the interpreter there; its place is taken by the node's.
        root: the project's folder there; `data` and `runs` likewise.
        below: where in the repository the project lies.
        sets: keys of the data sets that go along.
        pulls: names of data sets that are not there either, but in DVC's remote.
    """

    words: tuple[Text, ...]
    environment: dict[str, Text]
    python: Text
    root: Text
    data: Text
    runs: Text
    below: Text
    sets: tuple[Text, ...]
    pulls: tuple[Text, ...]


@dataclass
class Errand:
    """A piece of work on its way, seen from the machine that has ordered it.

    Attributes:
        place: by way of which.
        name: its own there.
        project: to which it belongs.
    """

    place: Place
    name: str
    project: Project
    _back: Received = field(init=False)
    _runs: set[str] = field(default_factory=set)
    _held: dict[str, FileLock] = field(default_factory=dict)
    _unreachable: float | None = None

    def __post_init__(self) -> None:
        self._back = Received(self.place, f"{key(self.name)}/out", self._arriving)

    def bring(self) -> list[str]:
        """Bring what it has written so far; the paths that are new.

        A run that is under way there is locked here: nobody takes it for interrupted.

        Raises:
            DataError: the storage cannot be read, and could not for minutes.
            StorageError: it cannot be written here.
        """
        try:
            new = self._back.receive()
        except DataError:
            self._unreachable = self._unreachable or time.monotonic()
            if time.monotonic() - self._unreachable > _UNREACHABLE_SECONDS:
                raise
            return []
        self._unreachable = None
        for run in self._runs:
            self._hold(run)
        return new

    def end(self, patience: float = 0.0) -> None:
        """Bring the last of it, and leave nothing in the storage but data sets.

        Args:
            patience: seconds that a storage may not be reached.

        Raises:
            DataError: the storage cannot be read.
            StorageError: it cannot be written here.
        """
        try:
            self._bring_the_last(patience)
        finally:
            self.let_go()
        self.place.drop(key(self.name))

    def let_go(self) -> None:
        """Whoever wants to go on with its runs may."""
        for lock in self._held.values():
            lock.release()
        self._held.clear()

    def _bring_the_last(self, patience: float) -> None:
        end = time.monotonic() + patience
        while True:
            try:
                self._back.receive()
            except DataError:
                if time.monotonic() >= end:
                    raise
                heartbeat.beat()
                time.sleep(_AGAIN_SECONDS)
            else:
                return

    def _arriving(self, path: str) -> Path:
        """Where a file belongs; its run is locked before anybody can see it there."""
        match PurePosixPath(path).parts:
            case ["runs", run, _, *_] if RUN_ID.fullmatch(run):
                self._runs.add(run)
                self._hold(run)
        return self.project.here(path)

    def _hold(self, name: str) -> None:
        run = RunDir(self.project.runs / name)
        if run.result.exists():
            if lock := self._held.pop(run.id, None):
                lock.release()
        elif run.id not in self._held:
            lock = run.lock()
            with contextlib.suppress(Busy):
                lock.acquire()
                self._held[run.id] = lock


def key(name: str) -> str:
    """Where everything of a piece of work lies in the storage."""
    return f"work/{name}"


def order(work: Work, root: Path, place: Place) -> Errand:
    """Put a piece of work, and all it needs, where a node finds it.

    Args:
        work: what is to be done, with the run that it goes on with, where it says `--resume`.
        root: the project's folder.
        place: that both reach.

    Raises:
        PreflightError: it cannot be taken elsewhere.
        StorageError: the place cannot be written.
    """
    if "sweep-agent" in work.words:
        raise PreflightError(
            "an agent of a sweep cannot go where the project's folder is not: agents share its files",
            "name an executor with a shared file system",
        )
    data, runs = resolve_paths(root)
    project = Project(root, data, runs)
    errand = Errand(place, f"{work.name}-{names.short_id()}", project)
    with tempfile.TemporaryDirectory(prefix="ctexp-order-") as scratch:
        tar = Path(scratch) / "project.tar"
        below = pack(project, [*work.needs, *_resumed(work.words, runs)], tar)
        place.put(f"{key(errand.name)}/project.tar", tar)
    what = Order(
        words=tuple(work.words),
        environment=dict(work.environment),
        python=sys.executable,
        root=str(root),
        data=str(data),
        runs=str(runs),
        below=below,
        sets=tuple(_sent_sets(data, place)),
        pulls=tuple(_lacking(work.words, root, data)),
    )
    put_bytes(place, f"{key(errand.name)}/order.json", what.model_dump_json().encode())
    return errand


def _resumed(words: Sequence[str], runs: Path) -> list[Path]:
    """The run that `--resume RUN` names."""
    named = [runs / Path(run).name for word, run in pairwise(words) if word == "--resume"]
    return [run for run in named if run.is_dir()]


def _lacking(words: Sequence[str], root: Path, data: Path) -> list[str]:
    """The data set that a training is to be made on, where it is not here but `dvc.lock` records it."""
    if tuple(words[:2]) not in (("inv", "train"), ("inv", "cross-validate")):
        return []
    try:
        name = compose([word for word in words[2:] if "=" in word], root).settings.data.name
    except UsageError:  # the training itself says what is wrong
        return []
    return [name] if is_recorded(root, name) and not catalog_file(data, name).is_file() else []


def _sent_sets(data: Path, place: Place) -> Iterator[str]:
    """Send the data sets that the place does not have; the keys of all."""
    for catalog in sorted((data / "raw").glob("*.parquet")):
        name = catalog.stem
        parts = [catalog, data / "raw" / name, data / "features" / f"{name}.parquet", data / "audit" / name]
        listed = sorted(one for part in parts if part.exists() for one in _files(part))
        about = hashlib.sha256()
        for file in listed:
            status = file.stat()
            about.update(f"{file.relative_to(data)}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
        its = f"data/{name}-{about.hexdigest()[:16]}.tar"
        if get_bytes(place, f"{its}.sent") is None:
            with tempfile.TemporaryDirectory(prefix="ctexp-data-") as scratch:
                tar = Path(scratch) / "set.tar"
                with tarfile.open(tar, "w") as archive:
                    for file in listed:
                        archive.add(file, str(file.relative_to(data)))
                place.put(its, tar)
            put_bytes(place, f"{its}.sent", b"")
        yield its


def _files(part: Path) -> Iterator[Path]:
    if part.is_file():
        yield part
    for folder, _, found in os.walk(part):
        yield from (Path(folder) / name for name in found)
