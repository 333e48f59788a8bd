"""`NAME.md` of the night after a sweep: for people who know neither it nor the commands."""

from collections.abc import Iterator

from ctexp.core import clock
from ctexp.planning.plan.jobs import experiment_of
from ctexp.planning.proposal.confirming.found import Found
from ctexp.planning.proposal.confirming.night import Night
from ctexp.planning.proposal.page.markdown import bullets, code, sentence, table
from ctexp.record.manifest import command_line


def page(found: Found, night: Night, finer: str) -> str:
    """The document beside the plan.

    Args:
        found: the sweep.
        night: what is proposed.
        finer: why a finer sweep pays, or does not, without a full stop.
    """
    return "\n".join(_lines(found, night, finer)).rstrip() + "\n"


def _lines(found: Found, night: Night, finer: str) -> Iterator[str]:
    name, sweep, metric = night.plan.name, found.told.id, found.told.metric
    yield f"# {name}: the night after a sweep"
    yield ""
    yield (
        f"The sweep `{sweep}` tried many settings and chose one by `{metric}` on validation images. This "
        "page says what is known after it, what is not, and what tonight finds out. `inv plan` wrote it, "
        f"beside the plan itself, [{name}.yaml]({name}.yaml)."
    )
    yield from ("", "## What the sweep has established", "")
    yield from bullets([sentence(line) for line in found.established])
    yield from ("## What it has not", "")
    yield from bullets([sentence(line) for line in found.not_established])
    yield from ("## What is done tonight", "")
    seeds = ", ".join(map(str, night.seeds))
    yield (
        f"The best trial and what all trials began with are trained with the same seeds ({seeds}), none of "
        "which has chosen anything, and compared on the same images, image by image."
    )
    yield ""
    yield from table(["experiment", "what it is for", "jobs", "takes"], list(_rows(night)))
    yield sentence(f"A finer sweep: {night.no_finer or finer}")
    yield ""
    if night.warnings:
        yield from ("To be known:", "")
        yield from bullets(night.warnings)
    yield from ("## Commands", "")
    commands = [
        command_line("plan-check", [name]),
        command_line("plan-render", [name]),
        f"bash scripts/{name}.sh --detach",
        command_line("sweep-report", [sweep]),
    ]
    yield from code(commands)
    yield from ("## How to read the morning", "")
    yield from bullets(
        [
            f"`best` is met: it is better than the baseline in {metric}; make it the baseline.",
            "`best` is not met: what the sweep showed was luck, or too little to matter; keep the baseline.",
            "`best` is undecided: the page of the night says how many seeds or images would decide.",
            "Its figure will be lower than in the sweep, where the best of many looks too good.",
        ]
    )


def _rows(night: Night) -> Iterator[list[str]]:
    for name, experiment in night.plan.experiments.items():
        costs = [entry.cost for entry in night.schedule.entries if experiment_of(entry.job) == name]
        known = [cost.seconds for cost in costs if cost]
        takes = clock.duration(sum(known)) if len(known) == len(costs) else "unknown"
        yield [f"`{name}`", experiment.hypothesis or experiment.notes, str(len(costs)), takes]
