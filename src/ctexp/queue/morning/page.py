"""`night.md`, for somebody tired: what happened in a few lines, each hypothesis, what went wrong."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from ctexp.core import clock
from ctexp.queue.morning.documents import ExperimentReport, JobReport, NextStep, NightReport
from ctexp.queue.morning.evidence import named
from ctexp.queue.morning.text import code, markdown
from ctexp.record.result import Measurement

_STATUSES = ("met", "not met", "undecided", "not tested")
_MOST_LINES = 5  # of one kind in one section; night.json has all
_MOST_CAUTIONS = 20  # likewise


def render(night: NightReport) -> str:
    """The page, ending with a newline."""
    shared = _shared(night.experiments)
    asking = [its for its in night.experiments if its.criterion]
    others = [its for its in night.experiments if not its.criterion]
    sections = [
        f"# {code(night.plan)}: the night of {local(night.began or night.ended, '%Y-%m-%d')}",
        *_beginning(night),
        *(line for its in asking for line in _experiment(its, shared)),
        *(["## Without a criterion"] if others else []),
        *(line for its in others for line in _experiment(its, shared)),
        *_trouble(night, shared),
        *_ruled_out(night),
        *_end(night),
    ]
    return "\n\n".join(sections) + "\n"


def summary(night: NightReport) -> list[str]:
    """The first lines: jobs, hours, target, hypotheses. Plain text."""
    counts = night.counts
    others = {"failed": counts.failed, "skipped": counts.skipped, "left": counts.left}
    told = "".join(f", {count} {what}" for what, count in others.items() if count)
    ended = "" if night.exit_code is None else f" (exit {night.exit_code})"
    when = f"{local(night.began or night.ended, '%H:%M')} to {local(night.ended, '%H:%M %Z')}"
    starts = f" in {len(night.starts)} starts" if len(night.starts) > 1 else ""
    # Of a start that was killed nobody knows how long its last job ran.
    least = "at least " if any(start.ended is None for start in night.starts) else ""
    lines = [
        f"{counts.done} of {counts.jobs} jobs done{told}: {night.reason}{ended}",
        f"it took {least}{clock.duration(night.seconds)}{starts}, {when};"
        f" jobs {least}{clock.duration(night.job_seconds)}",
    ]
    if night.target is not None:
        best = f", best seen in {night.target.best}" if night.target.best else ""
        its = night.target.outcome
        lines.append(f"target {night.target.criterion.said}: {its.status}{best}: {its.said}")
    statuses = [its.outcome.status for its in night.experiments if its.outcome]
    if statuses:
        counted = [f"{statuses.count(one)} {one}" for one in _STATUSES if one in statuses]
        lines.append(f"hypotheses: {', '.join(counted)}")
    return lines


def trouble(night: NightReport) -> list[str]:
    """What went wrong, one line each. Plain text."""
    return [
        *night.packing,
        *_not_done([job for job in night.jobs if not job.ruled_out]),
        *(
            f"{job.job} done in the end: {line}"
            for job in night.jobs
            if job.state == "done"
            for line in job.earlier
        ),
        *_deviations(night.jobs),
        *_source_changed(night.jobs),
        *(
            f"step {step.name} of the analysis ended with {step.exit_code}: {step.log}"
            for step in night.steps
            if step.exit_code
        ),
        *(
            f"nobody saw the end of the start at {local(start.began, '%Y-%m-%d %H:%M')}: "
            "it was killed, or the machine went down"
            for start in night.starts
            if start.ended is None
        ),
        *_few(list(dict.fromkeys(night.cautions))),
    ]


def ruled_out(night: NightReport) -> list[str]:
    """What the plan's own rules left out, one line each. Plain text."""
    return [*_not_done([job for job in night.jobs if job.ruled_out])]


def local(moment: str, form: str) -> str:
    """A moment of the record by the clock on the wall."""
    return datetime.fromisoformat(moment).astimezone().strftime(form)


def measured(its: Measurement | None) -> str:
    """`0.812 (0.741 to 0.871)`; a dash for nothing."""
    if its is None or its.value is None:
        return "–"
    interval = "" if its.low is None or its.high is None else f" ({its.low:.3f} to {its.high:.3f})"
    return f"{its.value:.3f}{interval}"


def _beginning(night: NightReport) -> Iterator[str]:
    yield "\n".join(f"- {markdown(f'{line[:1].upper()}{line[1:]}')}." for line in summary(night))
    if night.target is not None and night.target.outcome.notes:
        yield "\n".join(markdown(f"The target: {note}.") for note in night.target.outcome.notes)
    if night.goal:
        yield f"Goal: {markdown(night.goal)}"


def _shared(experiments: Sequence[ExperimentReport]) -> list[str]:
    """What runs of several experiments say of themselves: of the data, mostly; once is enough."""
    told = Counter(warning.said for its in experiments for warning in its.warnings)
    return [said for said, count in told.items() if count > 1]


def _experiment(its: ExperimentReport, shared: Sequence[str]) -> Iterator[str]:
    yield f"## {code(its.experiment)}: {its.outcome.status}" if its.outcome else f"### {code(its.experiment)}"
    told = [
        _labelled("Hypothesis", its.hypothesis or ("none was written down" if its.criterion else "")),
        _labelled("Expected", its.expected),
        _labelled("Criterion", its.criterion.said if its.criterion else ""),
        _labelled("Result", its.outcome.said if its.outcome else ""),
    ]
    if any(told):
        yield "\n".join(f"- {line}" for line in told if line)
    if its.seeds:
        yield _seeds(its)
    own = (one for one in its.warnings if one.said not in shared)
    warnings = [f"{named(one.seeds)}: {one.said}" for one in own]
    for title, lines in (
        ("Decided", its.decided),
        ("Left out", its.left_out),
        ("Deviations", its.deviations),
        ("To be known", (*(its.outcome.notes if its.outcome else ()), *warnings)),
        ("Insight", its.insight),
    ):
        if lines:
            yield _listed(title, [markdown(line) for line in lines])
    if its.next:
        yield _listed("Next", [_step(step) for step in its.next])


def _seeds(its: ExperimentReport) -> str:
    """A table of the finished seeds, which are told apart."""
    names = list(dict.fromkeys(name for seed in its.seeds for name in seed.metrics))
    rows = [["seed", *names, "run"], ["---:", *["---"] * len(names), "---"]]
    for seed in its.seeds:
        mark = f", fallback {seed.fallback}" if seed.fallback else ""
        figures = [measured(seed.metrics.get(name)) for name in names]
        rows.append([f"{seed.seed}{mark}", *figures, code(seed.run)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _trouble(night: NightReport, shared: Sequence[str]) -> Iterator[str]:
    lines = [*trouble(night), *(f"runs of several experiments say: {said}" for said in shared)]
    if lines:
        yield "## What went wrong, or otherwise than planned"
        yield "\n".join(f"- {markdown(line)}" for line in lines)


def _ruled_out(night: NightReport) -> Iterator[str]:
    if lines := ruled_out(night):
        yield "## Left out by the plan's own rules"
        yield "\n".join(f"- {markdown(line)}" for line in lines)


def _end(night: NightReport) -> Iterator[str]:
    yield "## How to go on"
    if night.left:
        jobs = "1 job is" if len(night.left) == 1 else f"{len(night.left)} jobs are"
        yield f"{code(night.go_on)}: {jobs} taken up again."
    elif night.go_on:
        yield f"Nothing is left that could be taken up again; {code(night.go_on)} begins anew."
    elif night.counts.done < night.counts.jobs:
        yield "Nothing is left that another start would take up."
    else:
        yield "All jobs are done: nothing is left of this plan."
    told = [f"Queue {code(night.queue)}, plan {code(night.plan_file)}"]
    commits = dict.fromkeys(_commit(start.commit, start.dirty) for start in night.starts)
    told.append(f"code {markdown(', '.join(commits) or 'unknown')}")
    if night.steps:
        told.append(f"analysis {', '.join(code(step.log or step.name) for step in night.steps)}")
    yield f"{', '.join(told)}."


def _labelled(label: str, said: str) -> str:
    return f"**{label}**: {markdown(said)}" if said else ""


def _listed(title: str, lines: Sequence[str]) -> str:
    shown = [f"- {line}" for line in lines[:_MOST_LINES]]
    if len(lines) > _MOST_LINES:
        shown.append(f"- and {len(lines) - _MOST_LINES} more, in night.json")
    return "\n".join([f"**{title}**", "", *shown])


def _step(step: NextStep) -> str:
    return f"{markdown(step.said)}: {code(step.command)}" if step.command else markdown(step.said)


def _not_done(jobs: Sequence[JobReport]) -> Iterator[str]:
    """Each job that is not done; those of which the same is to be said in one line."""
    alike: dict[str, list[str]] = {}
    for job in jobs:
        if job.state != "done":
            alike.setdefault(_fate(job), []).append(job.job)
    return (f"{', '.join(names)} {fate}" for fate, names in alike.items())


def _fate(job: JobReport) -> str:
    state = "not begun" if job.state == "pending" else job.state
    kind = f" ({job.kind})" if job.kind else ""
    tries = f" after {job.attempts} attempts" if job.attempts > 1 else ""
    reason = f": {job.reason}" if job.reason else ""
    earlier = f"; before that {'; '.join(job.earlier)}" if job.earlier else ""
    again = "; taken up again at the next start" if job.again else ""
    return f"{state}{kind}{tries}{reason}{earlier}{again}"


def _deviations(jobs: Sequence[JobReport]) -> Iterator[str]:
    alike: dict[str, list[str]] = {}
    for job in jobs:
        for line in job.deviations:
            alike.setdefault(line, []).append(job.job)
    return (f"{', '.join(names)}: otherwise than planned: {line}" for line, names in alike.items())


def _source_changed(jobs: Sequence[JobReport]) -> Iterator[str]:
    by_code: dict[str, list[str]] = {}
    for job in jobs:
        if job.source_changed:
            by_code.setdefault(_commit(job.commit, job.dirty), []).append(job.job)
    said = "code or configuration was changed after the night began, and ran"
    return (f"{said} as {source} in {', '.join(names)}" for source, names in by_code.items())


def _few(lines: Sequence[str]) -> list[str]:
    more = len(lines) - _MOST_CAUTIONS
    return [*lines[:_MOST_CAUTIONS], *([f"and {more} more, in night.json"] if more > 0 else [])]


def _commit(commit: str | None, dirty: bool | None) -> str:
    return f"{(commit or 'unknown')[:7]}{' with changes' if dirty else ''}"
