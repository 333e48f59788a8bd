"""The script of a plan for a cluster, an array of tasks; `slurm.sh` beside this file is its template."""

from collections.abc import Sequence
from pathlib import Path

from ctexp.core.durations import seconds
from ctexp.executors.settings import SlurmSettings
from ctexp.executors.slurm.options import PLAIN, options_of, time_of
from ctexp.planning.plan import window
from ctexp.planning.plan.document import Plan
from ctexp.planning.plan.jobs import Job, key_of
from ctexp.planning.render.bash import fill, values
from ctexp.planning.render.seal import sealed
from ctexp.planning.render.words import quoted

_NAME = "slurm"
"""The executor that is meant where none is named."""

_DAY = 24 * 3600.0
_CLOSING_SECONDS = 300.0
"""To stop, measure and write down, beyond a job's own limit."""


def slurm_script(
    plan: Plan,
    jobs: Sequence[Job],
    plan_file: str,
    plan_sha256: str,
    root: str = "..",
    executor: str = _NAME,
    settings: SlurmSettings = PLAIN,
    script: str | None = None,
) -> str:
    """The same bytes for the same plan and settings, in ASCII.

    Args:
        plan: checked.
        jobs: all of its jobs.
        plan_file: where the plan is, from the project's root.
        plan_sha256: of its bytes.
        root: the project's, from the folder of the script, or absolute.
        executor: the name of the file in `conf/executor` that holds the settings.
        settings: of the cluster.
        script: where it will be, from the project's root, or absolute; else where `plan-render` puts it.

    Raises:
        UsageError: an override cannot stand on a command line.
    """
    template = Path(__file__).with_name("slurm.sh").read_text()
    wanted = options_of(settings, gpu=not all(_on_cpu(job) for job in jobs))
    asked = {
        "tasks": f"{len(jobs) + 1}" + (f"%{settings.at_once}" if settings.at_once else ""),
        "time": time_of(_seconds(plan, jobs)),
        "options": "".join(f"\n#SBATCH {word}" for word in wanted),
        "executor": executor,
        "script": quoted(script or f"scripts/{plan.name}.{executor}.sh"),
        "named": "" if executor == _NAME else f" --executor {executor}",
    }
    return sealed(fill(template, values(plan, jobs, plan_file, plan_sha256, root) | asked))


def _seconds(plan: Plan, jobs: Sequence[Job]) -> float:
    """Of a task: the longest limit where every job has one, else the plan's window.

    A window that ends by the clock on the wall says nothing of a job that the cluster starts at any hour:
    a day then, and what is not done by its end is gone on with.
    """
    limits = [job.limit_seconds for job in jobs if job.limit_seconds is not None]
    if len(limits) == len(jobs):
        return max(limits) + seconds(plan.limits.grace) + _CLOSING_SECONDS
    return window.parse(plan.window).seconds or _DAY


def _on_cpu(job: Job) -> bool:
    last = {key_of(word): word.partition("=")[2] for word in (*job.common, *job.own)}
    return last.get("trainer.accelerator") == "cpu"
