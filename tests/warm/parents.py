"""A parent for tests: what a child of it is, its tasks tell."""

import os
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from ctexp.warm import client
from ctexp.warm.parent import Parent
from tests.project import INV
from tests.waiting import until

TASKS = '''
import atexit, fcntl, json, os, random, resource, signal, sys, time, types
from pathlib import Path

from invoke import task

from ctexp.cli import frontdoor
from ctexp.cli.verb import verb


@task
def about(_):
    import numpy, threadpoolctl

    Path("about.json").write_text(json.dumps({
        "argv": sys.argv, "path": sys.path[0], "cwd": os.getcwd(), "environment": dict(os.environ),
        "umask": os.umask(0), "files": resource.getrlimit(resource.RLIMIT_NOFILE), "nice": os.nice(0),
        "session": os.getsid(0) == os.getpid(), "pid": os.getpid(), "ppid": os.getppid(),
        "sigint": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
        "sighup": signal.getsignal(signal.SIGHUP) == signal.SIG_IGN,
        "sigterm": signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
        "mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        "open": sorted(int(name) for name in os.listdir("/proc/self/fd")),
        "threads": [one["num_threads"] for one in threadpoolctl.threadpool_info()],
        "draws": [random.random(), numpy.random.random()],
    }))


@task
def belongings(_):
    import belongings as its

    Path("belongings.json").write_text(json.dumps({
        "folder": its.FOLDER.name, "there": [Path(one).is_dir() for one in (its.FOLDER.name, its.HOME)],
        "by_chance": its.BY_CHANCE.random(), "by_number": its.BY_NUMBER.random(),
        "at_last": its.AT_LAST_BY_NUMBER.random(), "passing": Path(its.PASSING).exists(),
    }))


@task
def say(_):
    print("out", sys.stdin.read().strip())
    print("err", file=sys.stderr)
    atexit.register(print, "at the end")


@task
def end(_, how="0"):
    Path("begun").touch()
    if how == "raise":
        raise RuntimeError("on purpose")
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "interrupt":
        os.kill(os.getpid(), signal.SIGINT)
    sys.exit(int(how))


@task
def write(_, descriptor):
    os.write(int(descriptor), b"from the child")


@task
def wait(_):
    if (worker := os.fork()) == 0:
        time.sleep(60)
    Path("worker").write_text(str(worker))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGUSR1, lambda *_: Path("signalled").touch())
    Path("waiting.new").write_text(str(os.getpid()))
    Path("waiting.new").rename("waiting")
    while True:
        time.sleep(0.01)


def trained(override, json):
    Path("trained").write_text(" ".join([*override, str(os.getpid())]))
    return 11


sys.modules["ctexp.cli.stand_in"] = types.ModuleType("ctexp.cli.stand_in")
sys.modules["ctexp.cli.stand_in"].train = trained


@verb("stand_in:train", warm=True, iterable=["override"])
def train(_, override=None, json=False):
    """Stands in for the real one."""


frontdoor.install()
'''


class Light:
    """A parent that imports little, and a project whose tasks tell what a child is."""

    def __init__(self, project: Path) -> None:
        (project / "conf").mkdir(parents=True)
        (project / "conf" / "config.yaml").touch()
        (project / "tasks.py").write_text(TASKS)
        self.project = project
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("CTEXP_")
        } | {"PYTHONDONTWRITEBYTECODE": "1"}
        self.socket = Path()
        self._stack = ExitStack()

    def begin(self, **environment: str) -> Parent:
        """Start the parent."""
        self.environment |= environment
        made = self._stack.enter_context(Parent(self.project, self.environment))
        self.socket = made.socket
        return made

    def start(self, *words: str, **options: object) -> client.WarmJob:
        """Have it carry out a task."""
        named = {"environment": self.environment, "folder": self.project, "patience": 20.0} | options
        job = client.start(self.socket, [str(INV), *words], **named)  # type: ignore[arg-type]
        self._stack.callback(job.close)
        return job

    def inv(self, *words: str, **changes: str) -> subprocess.Popen[str]:
        """Start the stock program, which finds the parent by `CTEXP_WARM`."""
        return subprocess.Popen(
            [INV, *words],
            cwd=self.project,
            env=self.environment | {"CTEXP_WARM": str(self.socket)} | changes,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def refusal(self, *words: str, **options: object) -> str:
        """Why a job is refused."""
        with pytest.raises(client.Refused) as caught:
            self.start(*(words or ("end",)), **options)
        return str(caught.value)

    def comes(self, name: str) -> str:
        """What stands in a file of the project, once it is there."""
        path = self.project / name
        until(path.exists)
        return path.read_text()

    def clear(self) -> None:
        """Forget what tasks have left."""
        for path in self.project.iterdir():
            if path.is_file() and path.name != "tasks.py":
                path.unlink()

    def close(self) -> None:
        """End the parent."""
        self._stack.close()


def lives(pid: int) -> bool:
    """Whether a process runs, zombies aside."""
    return state(pid) not in {"Z", "X", ""}


def state(pid: int) -> str:
    """What the kernel says a process does: `T` for stopped, nothing where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""
