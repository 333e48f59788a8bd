"""Where the things of a queue lie: `runs/queues/<plan>_<stamp>/`."""

import errno
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from ctexp.core import clock, files, names
from ctexp.core.errors import DataError, UsageError
from ctexp.core.locks import FileLock

FOLDER = "queues"
"""Below the folder of all runs."""

VARIABLE = "CTEXP_QUEUE_DIR"
"""Environment variable of a night's programs: the directory of its queue."""

_UNBORN = ".new"

QUEUE_ID = re.compile(rf"(?P<plan>{names.ID_PATTERN.pattern})_(?P<stamp>\d{{8}}-\d{{6}})(-\d+)?")


@dataclass(frozen=True)
class QueueDir:
    """The directory of one queue; its name is the queue's id."""

    path: Path

    @classmethod
    def here(cls) -> Self:
        """The queue whose script has started this program.

        Raises:
            UsageError: no script has.
        """
        if not (path := os.environ.get(VARIABLE)):
            raise UsageError(
                f"no night has started this program ({VARIABLE} is not set)", "bash scripts/<plan>.sh"
            )
        return cls(Path(path))

    @classmethod
    def create(
        cls,
        runs: Path,
        plan: str,
        moment: datetime | None = None,
        fill: "Callable[[QueueDir, str], None]" = lambda *_: None,
    ) -> Self:
        """Make the directory of a new queue: whole, or not at all.

        Args:
            runs: the folder of all runs.
            plan: whose queue.
            moment: for its name; now by default. Names tell the order: where the clock was set back, it is
                that of the plan's newest.
            fill: writes what a queue begins with into the directory, which has another name until then; the
                queue's id comes second.

        Raises:
            StorageError: the disk is full, or `runs` cannot be written.
        """
        folder = runs / FOLDER
        files.make_folder(folder)
        stamp = max([clock.stamp(moment or clock.now()), *(_age(one.path)[0] for one in queues(runs, plan))])
        for number in range(1, 1000):
            path = folder / (f"{plan}_{stamp}" if number == 1 else f"{plan}_{stamp}-{number}")
            unborn = path.with_name(f".{path.name}{_UNBORN}")
            with files.storage_errors(path):
                try:
                    unborn.mkdir()
                except FileExistsError:
                    continue
                if path.exists():
                    unborn.rmdir()
                    continue
                for inner in ("logs", "beats"):
                    (unborn / inner).mkdir()
                fill(QueueDir(unborn.resolve()), path.name)
                files.fsync_directory(unborn)
                unborn.rename(path)
                files.fsync_directory(folder)
            return cls(path.resolve())
        raise FileExistsError(errno.EEXIST, "a thousand queues of one second", str(folder))

    @property
    def id(self) -> str:
        """The queue's id."""
        return self.path.name

    @property
    def plan_name(self) -> str:
        """The plan it carries out."""
        match = QUEUE_ID.fullmatch(self.id)
        return match["plan"] if match else self.id

    @property
    def plan(self) -> Path:
        """The copy of the plan that runs."""
        return self.path / "plan.yaml"

    @property
    def script(self) -> Path:
        """The copy of the script that runs."""
        return self.path / "queue.sh"

    @property
    def orders(self) -> Path:
        """What there is to do, compiled from the plan when the queue began; see `Orders`."""
        return self.path / "orders.json"

    @property
    def journal(self) -> Path:
        """What happened; see `Journal`."""
        return self.path / "journal.jsonl"

    @property
    def log(self) -> Path:
        """All that stood on the screen."""
        return self.path / "queue.log"

    @property
    def night_json(self) -> Path:
        """The morning's summary, for programs."""
        return self.path / "night.json"

    @property
    def night_md(self) -> Path:
        """The same for people."""
        return self.path / "night.md"

    def output(self, name: str) -> Path:
        """The output of an attempt (`<job>.<number>`) or of a step of the analysis."""
        return self.path / "logs" / f"{name}.log"

    def beat(self, name: str) -> Path:
        """A file whose time of change is an attempt's last sign of life."""
        return self.path / "beats" / name

    def lock(self) -> FileLock:
        """Held by the script, and through it by every process of the night."""
        return FileLock(self.path / "lock", f"queue {self.id}")

    def task_lock(self, task: str) -> FileLock:
        """In an array, held by the task of a job, or of the `analysis`, and by every process of it."""
        return FileLock(self.path / "tasks" / f"{task}.lock", f"{task} of queue {self.id}")

    def locks_held(self) -> list[FileLock]:
        """Those of the above that somebody holds: none where nobody is at work."""
        tasks = [self.task_lock(path.stem) for path in sorted(self.path.glob("tasks/*.lock"))]
        return [lock for lock in (self.lock(), *tasks) if lock.is_held()]


def sweep_unborn(runs: Path, plan: str) -> None:
    """Remove what killed starts of a plan's script left of new queues; nobody else may be making one now."""
    for leftover in (runs / FOLDER).glob(f".{plan}_*{_UNBORN}"):
        shutil.rmtree(leftover, ignore_errors=True)


def queues(runs: Path, plan: str | None = None) -> list[QueueDir]:
    """Every queue, or those of one plan, oldest first."""
    try:
        found = [
            path for path in (runs / FOLDER).iterdir() if QUEUE_ID.fullmatch(path.name) and path.is_dir()
        ]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise DataError(f"{runs / FOLDER}: cannot be read ({error.strerror})") from error
    all_of_them = (QueueDir(path.resolve()) for path in sorted(found, key=_age))
    return [queue for queue in all_of_them if plan is None or queue.plan_name == plan]


def find(runs: Path, selector: str) -> QueueDir:
    """The queue that is meant: an id, the beginning of one, a plan's name (its newest), or `latest`.

    Raises:
        UsageError: several are meant.
        DataError: none is.
    """
    there = queues(runs)
    if not there:
        raise DataError(
            f"{runs / FOLDER}: no queues yet",
            "render a plan and start it: scripts/inv plan-render PLAN, then bash scripts/PLAN.sh",
        )
    if selector == "latest":
        return there[-1]
    exact = [queue for queue in there if queue.id == selector]
    of_plan = [queue for queue in there if queue.plan_name == selector]
    begun = [queue for queue in there if queue.id.startswith(selector)] if selector else []
    meant = exact or of_plan[-1:] or begun
    if len(meant) > 1:
        raise UsageError(f"{selector!r} means {', '.join(queue.id for queue in meant)}", "type more of it")
    if not meant:
        near = names.did_you_mean(selector, [queue.id for queue in there])
        raise DataError(f"no queue {selector!r}", near)
    return meant[0]


def _age(path: Path) -> tuple[str, int, str]:
    _, _, stamp = path.name.rpartition("_")
    day, clock_time, *number = stamp.split("-")
    return f"{day}-{clock_time}", int(number[0]) if number else 1, path.name
