"""Section 3: the commands of an evening and a morning, and that of every job."""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from ctexp.core.wording import many
from ctexp.planning.proposal.page.markdown import code
from ctexp.planning.proposal.page.night import Night
from ctexp.planning.render.words import WIDTH, filled, quoted, wrapped

_WINNER = "WINNER"


def section(night: Night) -> Iterator[str]:
    """Its lines."""
    name = night.plan.name
    yield from ("## 3. Shell script", "")
    yield "In the evening, in the project's folder; then during the night, and after it:"
    yield ""
    yield from code(
        _commented(
            ("scripts/inv plan-check " + name, "sound? does it fit?"),
            (f"scripts/inv plan-check {name} --measure", "time what nobody knows"),
            ("scripts/inv plan-render " + name, "write the script"),
            (f"git add research scripts && git commit -m {name}", "keep both"),
            (f"bash scripts/{name}.sh --dry-run", "checks, runs nothing"),
            (f"bash scripts/{name}.sh --detach", "begin"),
            ("", ""),
            (f"scripts/inv queue-status {name}", "every job and its state"),
            (f"scripts/inv queue-watch {name}", "the same, live"),
            ("scripts/inv queue-cancel JOB", "drop one job"),
            ("kill PID", "stop, to go on later"),
            (f"bash scripts/{name}.sh --resume", "go on where it stopped"),
            (f"cat runs/queues/{name}_*/night.md", "the morning page"),
        )
    )
    yield (
        f"The script holds the literal command of each of the {many(len(night.jobs), 'job')} and runs them "
        "one after the other. This is what they do, experiment by experiment; it can be typed by hand too:"
    )
    yield ""
    shared = _shared(night)
    yield from code(
        [*_array(shared), *(line for name in night.order for line in _commands(night, name, shared))]
    )
    if any(job.base for job in night.jobs):
        yield (
            f"`{_WINNER}` stands for the settings of the best of the experiments named there; the script "
            "puts them in once they are known, and records its choice."
        )
        yield ""


def _shared(night: Night) -> tuple[str, ...]:
    """The words that every job has, but for a smoke job."""
    jobs = [job for job in night.jobs if night.reason(job.experiment).stage != "smoke"]
    return tuple(word for word in night.plan.common if jobs and all(word in job.overrides() for job in jobs))


def _array(words: Sequence[str]) -> list[str]:
    """Words said once, over as many lines as they need."""
    if not words:
        return []
    first, *lines = filled(f"common=({' '.join(map(quoted, words))})".split(" "), WIDTH - 4)
    return [first, *(f"    {line}" for line in lines)]


def _commented(*lines: tuple[str, str]) -> list[str]:
    width = max(len(command) for command, _ in lines)
    return [f"{command:<{width}}  # {why}" if command else "" for command, why in lines]


def _commands(night: Night, name: str, shared: Sequence[str]) -> Iterator[str]:
    """Of an experiment: one, or a loop over its seeds."""
    jobs = [job for job in night.jobs if job.experiment == name]
    first = jobs[0]
    words = first.overrides(None, (_WINNER,) if first.base else ())
    short = bool(shared) and all(word in words for word in shared)
    if first.base:
        its = f"# {_WINNER}: the best of {', '.join(first.base.best_of)}"
        yield from wrap(its, WIDTH, subsequent_indent="# ", break_on_hyphens=False)
    rest = [word for word in words if not (short and word in shared)]
    shown = ["scripts/inv", first.verb, *(['"${common[@]}"'] if short else [])]
    if len(jobs) == 1:
        shown += map(quoted, rest)
    else:
        seeds = " ".join(str(job.seed) for job in jobs)
        own = f"seed={first.seed}"
        shown = [f"for seed in {seeds}; do", *shown]
        shown += [quoted(word) for word in rest if word != own] + ["seed=$seed; done"]
    yield from wrapped(shown, 0).split("\n")
