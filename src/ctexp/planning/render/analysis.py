"""What is done at the end of a night, as literal lines of bash: `step NAME inv …`."""

from collections.abc import Iterator, Sequence

from ctexp.planning.plan.document import Improvement, Plan
from ctexp.planning.plan.jobs import Job
from ctexp.planning.render.words import quoted, wrapped

MOST_ERRORS = 12
"""Experiments whose errors are analysed: that takes half a minute each, and the reserve is some minutes."""

_INDENT = 4


def analysis_lines(plan: Plan, jobs: Sequence[Job]) -> str:
    """The body of the script's `analysis`, in the order of the plan.

    A name stands for all finished runs of an experiment; what it means in the morning, `queue step` knows:
    names of which nothing has finished are left out there, and those of fallbacks are added.

    Args:
        plan: the plan.
        jobs: its jobs, in the order of running.
    """
    firsts = {job.experiment: job for job in reversed(jobs)}
    experiments = [firsts[name] for name in dict.fromkeys(job.experiment for job in jobs)]
    makers = {"compare": _compare, "errors": _errors, "report": _report}
    lines = [line for step in plan.analysis for line in makers[step](plan, experiments)]
    if all(line.startswith("#") for line in lines):
        lines.append(":")  # a function of comments alone is none
    return "\n".join(" " * _INDENT + line for line in lines)


def _compare(plan: Plan, experiments: Sequence[Job]) -> Iterator[str]:
    """One comparison for each kind of experiment: only like can be paired with like.

    Each more candidate makes all intervals wider: where experiments say that they mean to be better, only
    they are compared.
    """
    if plan.baseline is None:
        yield "# compare: the plan names no baseline"
        return
    among = next((job for job in experiments if job.experiment == plan.baseline), None)
    baseline = among.run_name if among else plan.baseline
    meant = [job for job in experiments if isinstance(plan.experiments[job.experiment].success, Improvement)]
    for kind in [among.verb] if among else ["train", "cross-validate"]:
        others = dict.fromkeys(job.run_name for job in meant or experiments if job.verb == kind)
        others.pop(baseline, None)
        if others:
            name = "compare" if kind == "train" else "compare-folds"
            named = (f"--candidate {quoted(other)}" for other in others)
            yield _step(name, "compare-baselines", f"--baseline {quoted(baseline)}", *named)


def _errors(plan: Plan, experiments: Sequence[Job]) -> Iterator[str]:
    """Of those that are to show something, and what they are compared with; of all where none is."""
    meant = {job.experiment for job in experiments if plan.experiments[job.experiment].success}
    alone = [job for job in experiments if not job.is_sweep]
    about = [job for job in alone if not meant or job.experiment in {*meant, plan.baseline}]
    for job in about[:MOST_ERRORS]:
        yield _step(f"errors-{job.experiment}", "analyze-errors", f"--run {quoted(job.run_name)}")
    if (left := len(about) - MOST_ERRORS) > 0:
        yield f"# {left} more experiments can be analysed by hand: scripts/inv analyze-errors --run NAME"


def _report(plan: Plan, experiments: Sequence[Job]) -> Iterator[str]:
    for job in experiments:
        if job.is_sweep:
            yield _step(f"sweep-{job.experiment}", "sweep-report", f"--sweep {quoted(job.run_name)}")
    names = [job.run_name for job in experiments if job.experiment == plan.baseline]
    yield _step(
        "report", "report", '--queue "$CTEXP_QUEUE"', *(f"--baseline {quoted(name)}" for name in names)
    )


def _step(name: str, *words: str) -> str:
    return wrapped(["step", name, "inv", *words], _INDENT)
