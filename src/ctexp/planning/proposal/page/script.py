"""Section 3: the commands of an evening and a morning, and that of every job."""

from collections.abc import Iterator
from textwrap import wrap

from ctexp.planning.proposal.page.markdown import code, many
from ctexp.planning.proposal.page.night import Night
from ctexp.planning.render.words import WIDTH, quoted, wrapped

_WINNER = "WINNER"


def section(night: Night) -> Iterator[str]:
    """Its lines."""
    name = night.plan.name
    yield from ("## 3. Shell script", "")
    yield "In the evening, in the project's folder:"
    yield ""
    yield from code(
        _commented(
            ("scripts/inv plan-check " + name, "is the plan sound, does it fit?"),
            (f"scripts/inv plan-check {name} --measure", "time what nobody has timed yet, fetch weights"),
            ("scripts/inv plan-render " + name, f"write scripts/{name}.sh"),
            (f"git add research scripts && git commit -m {name}", "keep plan and script"),
            (f"bash scripts/{name}.sh --dry-run", "check this machine, show every command, run nothing"),
            (f"bash scripts/{name}.sh --detach", "begin; the terminal may be closed"),
        )
    )
    yield "During the night, and after it:"
    yield ""
    yield from code(
        _commented(
            (f"scripts/inv queue-status {name}", "every job and its state"),
            (f"scripts/inv queue-watch {name}", "the same, live"),
            ("scripts/inv queue-cancel JOB", "drop one job, for example " + night.jobs[-1].id),
            ("kill PID", "stop: the running job saves a checkpoint; PID is printed at the start"),
            (f"bash scripts/{name}.sh --resume", "go on where it stopped; nothing done is done again"),
            (f"cat runs/queues/{name}_*/night.md", "the morning page"),
        )
    )
    yield (
        f"The script holds the literal command of each of the {many(len(night.jobs), 'job')} and runs them "
        "one after the other. This is what they do, experiment by experiment; it can be typed by hand too:"
    )
    yield ""
    yield from code([line for name in night.order for line in _commands(night, name)])
    if any(job.base for job in night.jobs):
        yield (
            f"`{_WINNER}` stands for the settings of the best of the experiments named there; the script "
            "puts them in once they are known, and records its choice."
        )
        yield ""


def _commented(*lines: tuple[str, str]) -> list[str]:
    width = max(len(command) for command, _ in lines)
    return [f"{command:<{width}}  # {why}" for command, why in lines]


def _commands(night: Night, name: str) -> Iterator[str]:
    """Of an experiment: one, or a loop over its seeds."""
    jobs = [job for job in night.jobs if job.experiment == name]
    first = jobs[0]
    words = first.overrides(None, (_WINNER,) if first.base else ())
    base = f", from the best of {', '.join(first.base.best_of)}" if first.base else ""
    yield from wrap(
        f"# {', '.join(job.id for job in jobs)}{base}", WIDTH, subsequent_indent="# ", break_on_hyphens=False
    )
    own = f"seed={first.seed}"
    loop = len(jobs) > 1
    shown = ["seed=$seed" if loop and word == own else quoted(word) for word in words]
    if loop:
        yield f"for seed in {' '.join(str(job.seed) for job in jobs)}; do"
    indent = 4 if loop else 0
    yield from (" " * indent + wrapped(["scripts/inv", first.verb, *shown], indent)).split("\n")
    if loop:
        yield "done"
