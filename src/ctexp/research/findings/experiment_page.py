"""What an experiment's page says: the verdict, the findings in words, the numbers, how sure, what next."""

from collections.abc import Iterator, Sequence

from ctexp.core.wording import many
from ctexp.record.manifest import command_line
from ctexp.research.assessment import Assessment
from ctexp.research.assessment.confidence import spread_over
from ctexp.research.figures import Compared, Figure
from ctexp.research.findings.wording import (
    advice,
    bullets,
    code,
    inline,
    measured,
    quantity,
    sentence,
    status,
    table,
    wanted,
)
from ctexp.research.parts import Part
from ctexp.research.record import Answer
from ctexp.research.standing.standing import Stands

STUB = "**STUB: these figures are made up, to try the wiring. They say nothing.**"

_HEADLINES = {
    "proceed": "Every criterion is met: proceed.",
    "pivot": "The claim is not borne out: pivot.",
    "investigate": "Not settled: investigate.",
    "block": "Nothing can be concluded yet.",
}
_HOW_TO_READ = (
    "A criterion is met, or failed, only where the whole interval is on that side; where it crosses a "
    "threshold it is borderline, and somebody has to look."
)


def head(its: Stands) -> str:
    """The generated head of an experiment's page."""
    found = its.assessment
    lines = [f"# {inline(its.experiment.name or its.experiment.id)}", ""]
    if found.stub:
        lines += [STUB, ""]
    lines += [f"**{_HEADLINES[found.recommendation]}** {_summary(its)}", ""]
    if its.experiment.description:
        lines += [inline(its.experiment.description), ""]
    lines += [*_words(its), *_criteria(found), *_confidence(found)]
    if found.issues:
        lines += ["## What a reader has to know", "", *bullets(inline(line) for line in found.issues), ""]
    lines += ["## Next", "", *bullets(_next(its)), "", *_parts(its)]
    return "\n".join(lines)


def history(its: Stands) -> list[str]:
    """What counts, a line each; see `history` of this package."""
    found = its.assessment
    lines = [f"in all: {_summary(its)}"] if its.answered and not its.waits else []
    lines += [
        f"criterion {code(one.criterion.metric)}: {measured(one.figure)}, {one.verdict} "
        f"({wanted(one.criterion)})"
        for one in found.criteria
        if one.verdict != "missing"
    ]
    for sub, part in its.parts.items():
        if part.state == "completed" and part.answer is not None:
            moved = f" *{sentence(part.answer.moved)}*" if part.answer.moved else ""
            lines.append(f"{code(sub)}: {said(part)}{moved}")
    return bullets(lines)


def said(part: Part) -> str:
    """What a part has found, or why there is nothing that counts."""
    answer = part.answer
    if answer is None or part.state in ("failed", "no handler"):
        return f"No answer: {sentence(part.said)}"
    finding = inline(answer.finding, answer.by_mark()) or "Its handler put nothing into words."
    return finding if part.state == "completed" else f"*Does not count: {sentence(part.said)}* {finding}"


def verdicts(found: Assessment) -> str:
    """How many criteria came to what: `2 of 3 criteria met, 1 borderline`."""
    if not found.criteria:
        return "no criteria were set"
    of = len(found.criteria)
    parts = [f"{_count(found, 'met')} of {of} {'criterion' if of == 1 else 'criteria'} met"]
    for verdict in ("borderline", "failed", "missing"):
        if number := _count(found, verdict):
            parts.append(f"{number} {'not measured' if verdict == 'missing' else verdict}")
    return ", ".join(parts)


def _count(found: Assessment, verdict: str) -> int:
    return sum(one.verdict == verdict for one in found.criteria)


def _summary(its: Stands) -> str:
    found = its.assessment
    criteria = f": {verdicts(found)}" if found.criteria or its.answered else ""
    return (
        f"{its.experiment.kind.capitalize()}, {status(found)}{criteria}. "
        f"Confidence: {found.confidence}. Recommendation: {advice(found)}."
    )


def _words(its: Stands) -> list[str]:
    subs = its.experiment.subs
    if len(subs) == 1:
        lines = [said(its.parts[subs[0].id])]
    else:
        lines = bullets(f"**{inline(one.name or one.id)}.** {said(its.parts[one.id])}" for one in subs)
    return ["## What was found", "", *lines, "", *_corrected(its)]


def _corrected(its: Stands) -> list[str]:
    """Why a difference whose interval excludes zero is undecided all the same, where that is so."""
    figures = [figure for part in its.parts.values() if part.answer for figure in part.answer.figures]
    families = [
        len(part.source.family)
        for figure in figures
        for part in figure.whole()
        if isinstance(part.source, Compared) and part.source.verdict == "undecided" and _excludes_zero(part)
    ]
    if not families:
        return []
    metrics = many(max(families), "metric")
    return [
        f"Intervals are of one number alone; verdicts are corrected for {metrics} (Holm): a difference whose "
        "interval excludes 0 may still be undecided.",
        "",
    ]


def _excludes_zero(figure: Figure) -> bool:
    return figure.low is not None and figure.high is not None and not figure.low <= 0.0 <= figure.high


def _criteria(found: Assessment) -> list[str]:
    if not found.criteria:
        return []
    rows = (
        (
            quantity(one.criterion),
            wanted(one.criterion),
            measured(one.figure),
            f"**{one.verdict}**",
            inline(one.why),
        )
        for one in found.criteria
    )
    headings = ("what", "asked for", "measured", "verdict", "why")
    return ["## Criteria", "", *table(headings, rows), "", f"{_intervals(found)}{_HOW_TO_READ}", ""]


def _intervals(found: Assessment) -> str:
    """What the intervals of its criteria are about, by their sources."""
    about: dict[str, list[str]] = {}
    for one in found.criteria:
        if one.figure is not None and (its := spread_over(one.figure)):
            about.setdefault(its, []).append(code(one.criterion.metric))
    if not about:
        return ""
    said = "; ".join(f"over {its} for {', '.join(names)}" for its, names in about.items())
    return f"In brackets: the 95 % confidence interval (CI), {said}. "


def _confidence(found: Assessment) -> list[str]:
    lines = ["## How sure this is", "", f"Confidence is **{found.confidence}**:", ""]
    return [*lines, *bullets(inline(note) for note in found.confidence_notes), ""]


def _parts(its: Stands) -> list[str]:
    lines = ["## How it was answered", ""]
    for one in its.experiment.subs:
        answer = its.parts[one.id].answer
        lines += [f"### {inline(one.name or one.id)} ({code(one.id)})", ""]
        if one.description:
            lines += [inline(one.description), ""]
        lines += _answer(answer) if answer is not None else ["Not answered.", ""]
    return lines


def _answer(answer: Answer) -> list[str]:
    lines: list[str] = []
    if answer.metrics:
        rows = ((code(name), measured(figure)) for name, figure in answer.metrics.items())
        lines += [*table(("figure", "value"), rows), ""]
    if answer.artifacts:
        lines += [f"Files: {', '.join(code(one.file) for one in answer.artifacts)}.", ""]
    source = f"commit {(answer.git.commit or 'unknown')[:12]}"
    source += " with uncommitted changes" if answer.git.dirty else ""
    when = f"{answer.ended[:10]} {answer.ended[11:16]} UTC"
    again = f" Again: {code(answer.command)}." if answer.command else ""
    if answer.state == "failed":
        return [*lines, f"Failed {when}, {source}; the record has the traceback.{again}", ""]
    return [*lines, f"Answered {when} from {_runs(answer.runs)}, {source}.{again}", ""]


def _runs(runs: Sequence[str]) -> str:
    return many(len(runs), "training") if runs else "no trainings"


def _next(its: Stands) -> Iterator[str]:
    found, name = its.assessment, its.experiment.id
    for line in found.blockers:
        yield f"In the way: {sentence(line)}"
    if found.recommendation == "block":
        failed = any(part.state == "failed" for part in its.parts.values())
        yield f"Run {_command(name, '--rerun-failed') if failed else _command(name)}."
    elif found.recommendation == "pivot":
        yield f"Write down what replaces it: an experiment with {code(f'replaces: {name}')} in the plan."
    elif found.recommendation == "investigate":
        yield from _investigate(found)
    else:
        yield "Decide what it was asked for, and write the decision below, under Notes."


def _investigate(found: Assessment) -> Iterator[str]:
    if _count(found, "borderline"):
        yield "Borderline: let somebody review it; more seeds, or more images, would narrow the intervals."
    if _count(found, "failed"):
        yield "A criterion is failed: write down what that answers, and whether another question follows."
    if not found.criteria:
        yield "No criteria were set: read the figures, and write below what they mean."
    if found.confidence == "low":
        yield "Mend what lowers the confidence before anything rests on this."


def _command(experiment: str, *flags: str) -> str:
    return code(command_line("research-run", ["--experiment-id", experiment, *flags]))
