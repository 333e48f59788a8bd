"""A job of a night beyond its own program: in a night, in DVC's queue, in a bare loop of the shell.

The program is the same everywhere: a shell script that leaves the record of a finished run. The night is the
rendered script of a plan, carried out by bash from its copy in a queue; what it costs is the time from one
job's beginning to the next one's, less the time of the program in between. DVC has one experiment for each
job, queued (`dvc exp run --queue`) and then carried out (`dvc queue start`, one worker) in a scratch
repository; what is queued and what is carried out are told apart.
"""

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from benchmarks.aims import told
from ctexp.planning.plan.document import Experiment, Plan
from ctexp.planning.plan.jobs import in_order, jobs_of
from ctexp.planning.render.bash import bash_script
from ctexp.planning.render.script import Script
from ctexp.queue.folder import QueueDir
from ctexp.queue.journal import Journal
from ctexp.record.manifest import Origin
from tests.project import git
from tests.queue.written import HASH, queue
from tests.record import samples

AIM_SECONDS = 0.3

_T = TypeVar("_T")

INV = """#!/bin/sh
# Copies the record of a finished run, in the name of this job.
job=${CTEXP_JOB:-none}
run=stub_20261121-050417_$(printf %06d $$ | tail -c 6)
cp -r "$TEMPLATE" "runs/$run"
sed -i "s/TEMPLATE_RUN/$run/; s/TEMPLATE_JOB/$job/; s/TEMPLATE_QUEUE/${CTEXP_QUEUE:-none}/" \\
    "runs/$run/manifest.json" "runs/$run/result.json"
"""

LAUNCH = """
import os, sys
from pathlib import Path
from ctexp.queue.folder import QueueDir
from tests.queue.written import Writer
queue = QueueDir(Path(os.environ["CTEXP_QUEUE_DIR"]))
Writer(queue).begin(pid=os.getpid())
os.execvp("bash", ["bash", str(queue.script)])
"""


def project(folder: Path) -> Path:
    """A root whose `inv` is the stub; the template of its runs lies beside."""
    programs = folder / "root" / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name, text in (("inv", INV), ("python", f'#!/bin/sh\nexec {sys.executable} "$@"\n')):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    runs = folder / "root" / "runs"
    runs.mkdir()
    made = samples.run_of(
        folder, "stub", origin=Origin(plan="night", queue="TEMPLATE_QUEUE", job="TEMPLATE_JOB")
    )
    for document in (made.manifest, made.result):
        document.write_text(document.read_text().replace(made.id, "TEMPLATE_RUN"))
    made.path.rename(folder / "template")
    return folder / "root"


def environment(root: Path) -> dict[str, str]:
    """Of everything that is measured."""
    programs = root / ".venv" / "bin"
    here = str(Path(__file__).parent.parent.parent)
    return os.environ | {
        "TEMPLATE": str(root.parent / "template"),
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": here,
    }


def night(root: Path, count: int) -> list[float]:
    """Seconds of each job but the last, from its beginning to that of the next, less those of its program."""
    experiments = {f"e{number:03d}": Experiment() for number in range(count)}
    plan = Plan(name="night", experiments=experiments, analysis=[])
    jobs = in_order(jobs_of(plan))
    made: QueueDir = queue(root / "runs", jobs, disk_reserve_bytes=0)
    made.script.write_text(bash_script(Script(plan, "research/plans/night.yaml", HASH)))
    variables = {"CTEXP_QUEUE_DIR": str(made.path), "CTEXP_QUEUE": made.id, "CTEXP_PLAN": "night"}
    with (root / "night.log").open("wb") as log:
        subprocess.run(
            [sys.executable, "-c", LAUNCH],
            cwd=root,
            env=environment(root) | variables | {"CTEXP_ROOT": str(root)},
            stdout=log,
            stderr=log,
            check=False,
        )
    events = Journal(made.journal).read()
    starts = [event["uptime"] for event in events if event["kind"] == "start"]
    ends = [event for event in events if event["kind"] == "end"]
    if [event["state"] for event in ends] != ["done"] * count:
        raise SystemExit(f"the night went wrong, see {(root / 'night.log').read_text()}")
    return [
        after - before - end["seconds"] for before, after, end in zip(starts, starts[1:], ends, strict=False)
    ]


def loop(root: Path, count: int) -> float:
    """Seconds of a job in a loop of the shell, its program included."""
    began = time.perf_counter()
    subprocess.run(
        ["bash", "-c", f"for ((i = 0; i < {count}; i++)); do inv train seed=$i > log.$i 2>&1; done"],
        cwd=root,
        env=environment(root),
        check=True,
    )
    return (time.perf_counter() - began) / count


def worked(what: Callable[[], _T], count: int) -> tuple[_T, float]:
    """What it gives, and the seconds of a processor that it took for each of so many jobs."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = what()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return found, (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / count


def dvc(root: Path, count: int) -> tuple[float, float]:
    """Seconds of an experiment to be queued, and to be carried out, its program included."""
    folder = root.parent / "dvc"
    (folder / "runs").mkdir(parents=True)
    program = Path(sys.executable).with_name("dvc")
    usual = environment(root)
    variables = usual | {
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(root.parent / "site"),
        "PATH": f"{usual['PATH']}:{program.parent}",  # its worker looks for it there
    }
    (folder / "dvc.yaml").write_text(
        "stages:\n  train:\n    cmd: mkdir -p runs && inv train seed=${seed}\n    params: [seed]\n"
    )
    (folder / "params.yaml").write_text("seed: 0\n")
    (folder / ".gitignore").write_text("/runs/\n")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "config", "user.name", "Test")
    git(folder, "config", "user.email", "test@example.org")

    def call(*words: str) -> str:
        return subprocess.run(
            [program, *words], cwd=folder, env=variables, check=True, capture_output=True, text=True
        ).stdout

    call("init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=start")
    began = time.perf_counter()
    for number in range(1, count + 1):
        call("exp", "run", "--queue", "--set-param", f"seed={number}")
    queued = (time.perf_counter() - began) / count
    began = time.perf_counter()
    call("queue", "start", "--jobs", "1")
    last = ""
    while (not last or "Queued" in last or "Running" in last) and time.perf_counter() < began + 60 * count:
        time.sleep(0.5)
        last = call("queue", "status")
    carried_out = (time.perf_counter() - began) / count
    if last.count("Success") != count:
        raise SystemExit(f"DVC's queue went wrong:\n{last}")
    return queued, carried_out


def measure(folder: Path, jobs: int, *, with_dvc: bool) -> None:
    """Measure in an empty folder, and print."""
    root = project(folder)
    program, its_work = worked(lambda: loop(root, jobs), jobs)
    each, work = worked(lambda: sorted(night(root, jobs)), jobs)
    ours = statistics.median(each)
    print(f"{jobs} jobs of a program that takes {program * 1e3:.0f} ms in a bare loop")
    spread = f"({each[0]:.3f} to {each[-1]:.3f})"
    print(f"night        {ours:6.3f} s a job beyond it {spread}")
    print(f"             {work - its_work:6.3f} s of a processor, the night's begin and end shared out")
    if with_dvc:
        queued, carried_out = dvc(root, jobs)
        theirs = queued + carried_out - program
        parts = f"({queued:.3f} to queue it, {carried_out:.3f} to carry it out)"
        print(f"DVC's queue  {theirs:6.3f} s a job beyond it {parts}")
        print(f"DVC / night  {theirs / ours:6.1f}")
    told("a job of a night beyond its own work", ours, "s", AIM_SECONDS, "at most")
