"""The ways in which trials are carried out one after another, and when each of them ended."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.job_overhead.peers.training import FITS, KEY, WORDS, decay, own
from tests.project import add_tiny_set, git, make_project

HERE = Path(__file__).parent.parent.parent
PROGRAMS = Path(sys.executable).parent
LOOP = "one process"
DVC = "DVC's queue"

SWEEP = """
method: grid
metric: {{name: val/macro_f1, goal: maximize}}
parameters: {{{key}: {{values: {values}}}}}
ctexp: {{overrides: [{words}]}}
"""


@dataclass(frozen=True)
class Measured:
    """One way's trials.

    Attributes:
        ends: seconds from the beginning until each trial's result was there.
        whole: seconds until all was over.
        processor: seconds of processors that all of it took; those of daemons are not known.
    """

    ends: tuple[float, ...]
    whole: float
    processor: float


Carry = Callable[[Path, int], None]


def fresh(root: Path, count: int) -> None:
    """`inv train` again and again."""
    for number in range(count):
        _run(root, "inv", "train", *WORDS, *own(number), "--yes")


def loop(root: Path, count: int) -> None:
    """The same function in one process."""
    _peer(root, "loop", str(count))


def hydra(root: Path, count: int) -> None:
    """`python app.py -m number=0,1,2`."""
    _peer(root, "multirun", "-m", "number=" + ",".join(map(str, range(count))))


def optuna(root: Path, count: int) -> None:
    """`study.optimize`."""
    _peer(root, "study", str(count))


def ray(root: Path, count: int) -> None:
    """Tune as it is by default: a process for each trial."""
    _peer(root, "tuner", str(count))


def ray_reused(root: Path, count: int) -> None:
    """Tune with `reuse_actors`."""
    _peer(root, "tuner", str(count), "reuse")


def dvc(root: Path, count: int) -> None:
    """`dvc exp run --queue` for each, then `dvc queue start` with one worker."""
    program = " ".join((f"{PROGRAMS}/inv", "train", *WORDS, f"{KEY}=${{decay}}", "run.name=t", "--yes"))
    (root / "dvc.yaml").write_text(f"stages:\n  train:\n    cmd: {program}\n    params: [decay]\n")
    (root / "params.yaml").write_text("decay: 0\n")
    _run(root, "dvc", "init", "--quiet")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message=dvc")
    for number in range(count):
        _run(root, "dvc", "exp", "run", "--queue", "--set-param", f"decay={decay(number)}")
    _run(root, "dvc", "queue", "start", "--jobs", "1")
    wait = time.monotonic() + 60 * count
    while len(list(root.glob("runs/*/result.json"))) < count and time.monotonic() < wait:
        time.sleep(0.2)
    _run(root, "dvc", "queue", "stop")


def ours(root: Path, count: int) -> None:
    """`inv sweep`, then one agent with its warm trainer."""
    values = [decay(number) for number in range(count)]
    sweep = SWEEP.format(key=KEY, values=values, words=", ".join(WORDS))
    (root / "conf" / "sweep" / "decays.yaml").write_text(sweep)
    _run(root, "inv", "sweep", "--config=decays", "--no-pilot", "--yes")
    _run(root, "inv", "sweep-agent", "--sweep-id=latest", "--yes")


WAYS: dict[str, Carry] = {
    LOOP: loop,
    "ours": ours,
    "fresh processes": fresh,
    "hydra -m": hydra,
    "Optuna in-process": optuna,
    "Ray Tune": ray,
    "Ray Tune, actors reused": ray_reused,
    DVC: dvc,
}

WITH_DAEMONS = {"Ray Tune", "Ray Tune, actors reused", DVC}
"""Ways whose trials are no children of what was started: nobody tells what they took of a processor."""


def measure(carry: Carry, root: Path, count: int) -> Measured:
    """Carry out so many trials in a new project.

    Raises:
        SystemExit: not every trial has a result.
    """
    make_project(root)
    add_tiny_set(root)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began, clock = time.perf_counter(), time.time()
    carry(root, count)
    whole = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    ends = sorted(path.stat().st_mtime - clock for path in root.glob("runs/*/result.json"))
    if len(ends) != count:
        raise SystemExit(f"{len(ends)} of {count} trials ended; see {root / 'log'}")
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measured(tuple(ends), whole, processor)


def fits(root: Path) -> list[float]:
    """Seconds of each fit that `loop` has made in a project."""
    return [float(line) for line in (root / "fits").read_text().split()]


def _peer(root: Path, name: str, *words: str) -> None:
    _run(root, "python", "-m", f"benchmarks.job_overhead.peers.{name}", *words)


def _run(root: Path, program: str, *words: str) -> None:
    """Run one of this environment's programs in the project, its output into the log there."""
    variables = {
        "CTEXP_ROOT": str(root),
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(root.parent / "site"),
        "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
        "PYTHONPATH": f"{HERE}:{HERE / 'src'}",
        "RAY_USAGE_STATS_ENABLED": "0",
        FITS: str(root / "fits"),
    }
    with (root / "log").open("ab") as log:
        done = subprocess.run(
            [PROGRAMS / program, *words],
            cwd=root,
            env=os.environ | variables,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            check=False,
        )
    if done.returncode:
        raise SystemExit(f"{program} {words[0]} ended with {done.returncode}; see {root / 'log'}")
