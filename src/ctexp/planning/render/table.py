"""The jobs of a script: their order, and the literal command of each, as lines of bash."""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from ctexp.core.clock import duration
from ctexp.planning.plan.jobs import Job
from ctexp.planning.render.words import WIDTH, quoted, wrapped

_BASE = "\0base"  # no override: it stands where the winner's words will
_INDENT = 8


def keys_of(jobs: Sequence[Job]) -> list[str]:
    """Every command's key, in the order of running: `JOB`, and after it `JOB:KIND` for each fallback."""
    return [key for job in jobs for key in (job.id, *(f"{job.id}:{kind}" for kind in job.fallback))]


def job_table(jobs: Sequence[Job]) -> str:
    """The branches of `case $key in`, one a command; `attempt` and `base_of` are the script's.

    Args:
        jobs: in the order of running.

    Raises:
        UsageError: an override cannot stand on a command line.
    """
    return "\n".join(line for job in jobs for line in _branches(job))


def _branches(job: Job) -> Iterator[str]:
    about = "; ".join(_about(job))
    for line in wrap(about, WIDTH - _INDENT - 2, break_on_hyphens=False):
        yield f"{' ' * _INDENT}# {line}"
    yield _branch(job, None)
    for kind in job.fallback:
        yield _branch(job, kind)


def _branch(job: Job, fallback: str | None) -> str:
    key = job.id if fallback is None else f"{job.id}:{fallback}"
    overrides = job.overrides(fallback, (_BASE,) if job.base else ())
    told = ('"${base[@]}"' if word == _BASE else quoted(word) for word in overrides)
    words = ["inv", job.verb, *map(quoted, job.flags), *told]
    first = f"base_of {job.id} && attempt" if job.base else "attempt"
    command = wrapped([first, *words[:-1], f"{words[-1]} ;;"], _INDENT + 4)
    return f"{' ' * _INDENT}{key})\n{' ' * (_INDENT + 4)}{command}"


def _about(job: Job) -> Iterator[str]:
    """What holds a job back and what ends it, of ids, names of metrics and numbers alone."""
    if job.needs:
        yield f"needs {', '.join(job.needs)}"
    if gate := job.gate:
        yield f"only if {gate.metric} of {gate.after} {gate.op} {gate.value:g}"
    if base := job.base:
        yield f"base: the best of {', '.join(base.best_of)} by {base.by or 'the primary metric'}"
    if job.limit_seconds is not None:
        yield f"at most {duration(job.limit_seconds)}"
    if job.shorten:
        yield "shortened where the window is too short"
