"""The script of a plan for a cluster, an array of tasks; `slurm.sh` beside this file is its template."""

from collections.abc import Sequence
from pathlib import Path

from ctexp.core.durations import seconds
from ctexp.planning.plan import window
from ctexp.planning.plan.document import Plan
from ctexp.planning.plan.jobs import Job, key_of
from ctexp.planning.render.bash import fill, values
from ctexp.planning.render.seal import sealed

_DAY = 24 * 3600.0
_CLOSING_SECONDS = 300.0
"""To stop, measure and write down, beyond a job's own limit."""


def slurm_script(plan: Plan, jobs: Sequence[Job], plan_file: str, plan_sha256: str, root: str = "..") -> str:
    """The same bytes for the same plan, in ASCII; arguments and errors are those of `bash_script`."""
    template = Path(__file__).with_name("slurm.sh").read_text()
    asked = {
        "tasks": str(len(jobs) + 1),
        "time": _days(_seconds(plan, jobs)),
        "gpu": "" if all(_on_cpu(job) for job in jobs) else "\n#SBATCH --gres=gpu:1",
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


def _days(whole: float) -> str:
    """As SLURM reads it: days-hours:minutes:seconds, minutes begun counted whole."""
    minutes = -int(-whole // 60)
    return f"{minutes // 1440}-{minutes // 60 % 24:02d}:{minutes % 60:02d}:00"


def _on_cpu(job: Job) -> bool:
    last = {key_of(word): word.partition("=")[2] for word in (*job.common, *job.own)}
    return last.get("trainer.accelerator") == "cpu"
