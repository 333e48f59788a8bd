"""The script of a plan for a cluster, an array of tasks; `slurm.sh` beside this file is its template."""

from collections.abc import Sequence

from ctexp.core.durations import seconds
from ctexp.executors.settings import SlurmSettings
from ctexp.executors.slurm.options import PLAIN, options_of, time_of
from ctexp.planning.plan import window
from ctexp.planning.plan.document import Plan
from ctexp.planning.plan.jobs import Job, jobs_of, key_of
from ctexp.planning.render.script import Script

_NAME = "slurm"
"""The executor that is meant where none is named."""

_DAY = 24 * 3600.0
_CLOSING_SECONDS = 300.0
"""To stop, measure and write down, beyond a job's own limit."""


def slurm_script(asked: Script, executor: str = _NAME, settings: SlurmSettings = PLAIN) -> str:
    """The script.

    Args:
        asked: what it says.
        executor: the name of the file in `conf/executor` that holds the settings.
        settings: of the cluster.

    Raises:
        UsageError: an override cannot stand on a command line.
    """
    jobs = jobs_of(asked.plan)
    wanted = options_of(settings, gpu=not all(_on_cpu(job) for job in jobs))
    about = {
        "tasks": f"{len(jobs) + 1}" + (f"%{settings.at_once}" if settings.at_once else ""),
        "time": time_of(_seconds(asked.plan, jobs)),
        "options": "".join(f"\n#SBATCH {word}" for word in wanted),
        "executor": executor,
        "named": "" if executor == _NAME else f" --executor {executor}",
    }
    return asked.rendered("slurm.sh", executor, about)


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
