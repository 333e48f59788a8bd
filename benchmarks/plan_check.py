"""What `inv plan-check` and `inv plan-render` take for a thousand jobs, beside composing each job by itself.

    .venv/bin/python -m benchmarks.plan_check [--rounds 5] [--plain 50]

A project of its own with the synthetic set and 300 finished runs of history. The plan: 500 experiments of
two seeds over 30 selections of groups (ten networks, three losses), each with settings of its own; every
tenth has a criterion, ten a fallback, one a gate, one a base. Aims: the whole command under 3 s, from the
shell and back; rendering under 50 ms. `--plain` jobs, spread over the plan, are composed one by one as
`inv train` would; all of them at that pace is what the command is compared with. On a machine that is busy,
processor seconds tell more than the clock.
"""

import argparse
import contextlib
import io
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.aims import told
from ctexp.cli.data import make_phantom
from ctexp.config.compose import compose
from ctexp.config.workload import workload
from ctexp.core import clock, yaml_file
from ctexp.planning.checking.check import check
from ctexp.planning.past import Past
from ctexp.planning.plan.jobs import Job, jobs_of
from ctexp.planning.plan.load import load
from ctexp.planning.render.bash import bash_script
from ctexp.planning.render.script import Script
from ctexp.planning.schedule.night import schedule
from ctexp.record.environment import computes_on
from ctexp.record.history import History
from tests import judged
from tests.project import make_project

EXPERIMENTS, PAST_RUNS = 500, 300
NETWORKS = (
    *("resnet18", "resnet34", "resnet50", "resnet101", "efficientnet_b0"),
    *("efficientnet_b3", "convnext_tiny", "vit_small", "resnet18_se", "tiny_cnn"),
)
LOSSES = ("cross_entropy", "focal", "class_balanced")
COMMON = ("data=phantom", "logger=none", "trainer.accelerator=cpu", "trainer.max_epochs=20")

Result = TypeVar("Result")


def document() -> dict[str, Any]:
    """The plan."""
    experiments: dict[str, dict[str, Any]] = {}
    for number in range(EXPERIMENTS):
        network, loss = NETWORKS[number % 10], LOSSES[number // 10 % 3]
        overrides = [f"model={network}", f"loss={loss}", f"optimizer.lr={1e-5 * (1 + number // 30):.6f}"]
        experiments[f"x{number}"] = {"hypothesis": f"{network} with {loss}", "overrides": overrides}
    for number in range(20, EXPERIMENTS, 10):
        experiments[f"x{number}"]["success"] = {"metric": "val/macro_f1", "better_than": "baseline"}
    for number in range(100, 110):
        experiments[f"x{number}"]["fallback"] = {"oom": ["data.batch_size=8"]}
    experiments["x5"]["gate"] = {"after": "x0", "metric": "val/macro_f1", "op": ">=", "value": 0.5}
    base = {"base": {"best_of": ["x0", "x1"]}, "overrides": ["trainer.max_epochs=40"]}
    experiments["x6"] = base
    whole = {"goal": "measure", "baseline": "x0", "window": "8h", "seeds": [1, 2], "common": list(COMMON)}
    return {**whole, "experiments": experiments}


def make(folder: Path) -> Path:
    """The project, its data, its history and its plan."""
    project = make_project(folder / "project")
    with contextlib.redirect_stderr(io.StringIO()):
        make_phantom(project / "data", "phantom", seed=42)
    resolved = compose([*COMMON, "model=tiny_cnn"], project).resolved
    run = judged.a_run(
        project / "runs",
        device=computes_on("cpu"),
        workload=workload(resolved),
        hyperparameters={"trainer.max_epochs": 20},
        dataset=judged.dataset(rows={"train": {"normal": 160}, "val": {"normal": 40}}),
    )
    run.history.unlink()
    history = History(run.history)
    for epoch in range(1, 21):
        history.append({"epoch": epoch, "seconds": 4.0, "gpu_memory_mb": None, "rss_mb": 900.0})
    for number in range(1, PAST_RUNS):
        shutil.copytree(run.path, run.path.with_name(f"net_20261101-{number:06d}_{number:06d}"))
    plans = project / "research" / "plans"
    plans.mkdir(parents=True)
    (plans / "large.yaml").write_text(yaml_file.dump(document()))
    return project


def timed(work: Callable[[], Result]) -> tuple[float, Result]:
    """Seconds, and what came of it."""
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


def row(what: str, seconds: list[float]) -> float:
    """Print the median and the spread; gives the median."""
    middle = statistics.median(seconds)
    spread = f"({min(seconds):.3f} to {max(seconds):.3f})" if len(seconds) > 1 else ""
    print(f"  {what:<52}{middle:8.3f} s  {spread}", flush=True)
    return middle


def command(project: Path) -> float:
    """The verb, as a person calls it; its processor seconds."""
    words = [sys.executable, "-m", "invoke", "plan-check", "large"]
    before = os.times()
    done = subprocess.run(words, cwd=project, capture_output=True, text=True, check=False)
    after = os.times()
    # The tiny networks are in the record; what the others cost is not.
    if done.returncode or "what 900 of them cost is not" not in done.stdout:
        raise SystemExit(f"plan-check: exit {done.returncode}\n{done.stderr[-2000:]}")
    spent = (after.children_user, after.children_system), (before.children_user, before.children_system)
    return sum(spent[0]) - sum(spent[1])


def plain(jobs: list[Job], project: Path) -> list[float]:
    """Each of these jobs composed by itself."""
    compose(jobs[0].overrides(), project)  # Hydra is loaded
    return [timed(partial(compose, job.overrides(), project))[0] for job in jobs]


def parts(project: Path) -> None:
    """Where the time goes, in this process, each for the first time but the rendering."""
    path = project / "research" / "plans" / "large.yaml"
    seconds, loaded = timed(lambda: load(path, "research/plans/large.yaml"))
    row("the plan read", [seconds])
    seconds, checked = timed(lambda: check(loaded, project))
    row("every job composed and checked", [seconds])
    if checked.problems or checked.missing:
        raise SystemExit("\n".join((*checked.problems, *checked.missing)))
    row("history read", [timed(lambda: Past.load(project / "runs"))[0]])
    night = timed(lambda: schedule(checked.jobs, loaded.plan, project / "runs", clock.now()))
    row("history read, jobs estimated and fitted", [night[0]])
    script = Script(loaded.plan, loaded.shown, loaded.sha256)
    rendered = [timed(lambda: bash_script(script))[0] for _ in range(9)]
    told("its script rendered", 1000 * row("the script rendered", rendered), "ms", 50, "at most")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--plain", type=int, default=50)
    asked = parser.parse_args()
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} at the beginning", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        project = make(Path(folder))
        print(
            f"{2 * EXPERIMENTS:,} jobs over {len(NETWORKS) * len(LOSSES)} selections, {PAST_RUNS} past runs"
        )
        with contextlib.chdir(project):
            calls = [timed(partial(command, project)) for _ in range(asked.rounds)]
            whole = row("inv plan-check, whole", [seconds for seconds, _ in calls])
            row("of which processor", [spent for _, spent in calls])
            told("plan-check of 1,000 jobs, from the shell and back", whole, "s", 3, "at most")
            parts(project)
            loaded = load(project / "research" / "plans" / "large.yaml", "research/plans/large.yaml")
            jobs = [job for job in jobs_of(loaded.plan) if job.base is None]
            each = row("one job composed by itself", plain(jobs[:: len(jobs) // asked.plain], project))
    print(f"  all of them one by one {1000 * each:.0f} s; that / plan-check: {1000 * each / whole:.0f}")
    print(f"load average {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
