"""What an experiment's page says: the verdict, then the numbers, the parts, how sure it is, what next."""

from collections.abc import Iterator

from ctexp.record.manifest import command_line
from ctexp.research.assessment import Assessment
from ctexp.research.findings.wording import bullets, code, inline, measured, table, wanted
from ctexp.research.record import Answer
from ctexp.research.standing.records import Part
from ctexp.research.standing.standing import Stands

_HEADLINES = {
    "proceed": "All criteria are met: proceed.",
    "pivot": "The claim is not borne out: pivot.",
    "investigate": "Not settled: investigate.",
    "block": "Nothing can be concluded yet.",
}
_CALLED = {"not_started": "not started", "in_progress": "in progress"}


def head(its: Stands) -> str:
    """The generated head of an experiment's page."""
    found = its.assessment
    lines = [f"# {inline(its.experiment.name or its.experiment.id)}", ""]
    if found.stub:
        lines += ["**STUB: these figures are made up, to try the wiring. They say nothing.**", ""]
    lines += [f"**{_HEADLINES[found.recommendation]}** {_standing(its)}", ""]
    if its.experiment.description:
        lines += [inline(its.experiment.description), ""]
    lines += [*_criteria(found), *_parts(its), *_confidence(found)]
    if found.issues:
        lines += ["## What a reader has to know", "", *bullets(inline(line) for line in found.issues), ""]
    lines += ["## Next", "", *bullets(_next(its))]
    return "\n".join(lines)


def entry(its: Stands, number: int, moment: str) -> str:
    """An entry of the history: what came of it, as it stood then.

    Args:
        its: the experiment.
        number: of the entry.
        moment: when it was written, for people.
    """
    found = its.assessment
    lines = [f"### {number}. {moment}", "", _standing(its), ""]
    if found.stub:
        lines[2] = f"STUB, made-up figures. {lines[2]}"
    lines += bullets(
        f"{code(one.criterion.metric)}: {measured(one.figure)}, {one.verdict} ({wanted(one.criterion)})"
        for one in found.criteria
    )
    lines += bullets(f"{code(sub)}: {_said(part)}" for sub, part in its.parts.items())
    return "\n".join(lines)


def command(experiment: str, *flags: str) -> str:
    """What to type to run an experiment."""
    return code(command_line("research-run", ["--experiment-id", experiment, *flags]))


def _standing(its: Stands) -> str:
    found = its.assessment
    status = _CALLED.get(found.status, found.status)
    met = sum(one.verdict == "met" for one in found.criteria)
    of = f"{met} of {len(found.criteria)} criteria met" if found.criteria else "no criteria"
    kind = its.experiment.kind.capitalize()
    return (
        f"{kind}, {status}; {of}; confidence {found.confidence}; recommendation: **{found.recommendation}**."
    )


def _criteria(found: Assessment) -> list[str]:
    if not found.criteria:
        return []
    rows = (
        (
            code(one.criterion.metric) + (f": {inline(one.criterion.note)}" if one.criterion.note else ""),
            wanted(one.criterion),
            measured(one.figure),
            f"**{one.verdict}**",
            inline(one.why),
        )
        for one in found.criteria
    )
    return [
        "## Criteria",
        "",
        *table(("measure", "asked for", "measured", "verdict", "why"), rows),
        "",
        "A criterion is met, or failed, only where the whole 95 % confidence interval (CI) is on that side.",
        "",
    ]


def _parts(its: Stands) -> list[str]:
    lines = ["## What was found", ""]
    for one in its.experiment.subs:
        part = its.parts[one.id]
        lines += [f"### {inline(one.name or one.id)}", "", _said(part), ""]
        if part.answer is not None:
            lines += _answer(part.answer)
    return lines


def _said(part: Part) -> str:
    """The finding, or why there is none that counts."""
    answer = part.answer
    if answer is None or part.state in ("failed", "no handler"):
        return f"No answer: {inline(part.said)}."
    finding = inline(answer.finding, answer.by_mark()) or "Its handler put nothing into words."
    if part.state == "completed":
        return finding
    return f"*Does not count: {inline(part.said)}.* {finding}"


def _answer(answer: Answer) -> list[str]:
    lines: list[str] = []
    if answer.metrics:
        rows = ((code(name), measured(figure)) for name, figure in answer.metrics.items())
        lines += [*table(("figure", "value"), rows), ""]
    if answer.artifacts:
        lines += [f"Files: {', '.join(code(one.file) for one in answer.artifacts)}.", ""]
    commit = (answer.git.commit or "unknown")[:12]
    source = f"commit {commit}" + (" with uncommitted changes" if answer.git.dirty else "")
    runs = f"{len(answer.runs)} training" if len(answer.runs) == 1 else f"{len(answer.runs)} trainings"
    day, time = answer.ended[:10], answer.ended[11:16]
    return [*lines, f"Answered {day} {time} UTC from {runs}, {source}.", ""]


def _confidence(found: Assessment) -> list[str]:
    lines = ["## How sure this is", "", f"Confidence is **{found.confidence}**:", ""]
    return [*lines, *bullets(inline(note) for note in found.confidence_notes), ""]


def _next(its: Stands) -> Iterator[str]:
    found, name = its.assessment, its.experiment.id
    for line in (*found.blockers, *(its.waits if not found.blockers else ())):
        yield f"In the way: {inline(line)}."
    if found.recommendation == "block":
        failed = any(part.state == "failed" for part in its.parts.values())
        yield f"Run {command(name, '--rerun-failed') if failed else command(name)}."
    elif found.recommendation == "pivot":
        yield f"Write down what replaces it: an experiment with {code(f'replaces: {name}')} in the plan."
    elif found.recommendation == "investigate":
        yield from _investigate(its)
    else:
        yield "Go on with what it was meant to decide."


def _investigate(its: Stands) -> Iterator[str]:
    verdicts = {one.verdict for one in its.assessment.criteria}
    if "borderline" in verdicts:
        yield "Borderline: let somebody review it; more seeds, or more images, would narrow the intervals."
    if "failed" in verdicts:
        yield "A criterion is failed: say what that answers, and whether another question follows."
    if not verdicts:
        yield "It has no criteria: read the figures, and write below what they mean."
    if its.assessment.confidence == "low":
        yield "Mend what lowers the confidence, above, before anything rests on this."
