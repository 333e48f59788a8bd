"""What the project's page says: where every experiment and every gate stands, with the numbers."""

from ctexp.record.manifest import command_line
from ctexp.research.findings.experiment_page import STUB, said, verdicts
from ctexp.research.findings.wording import bullets, code, inline, measured, status, table, wanted
from ctexp.research.standing.standing import Standing, Stands


def head(found: Standing, results: str) -> str:
    """The generated head of the project's page.

    Args:
        found: where everything stands.
        results: the folder of all results, as seen from the page.
    """
    project = found.plan.project
    lines = [f"# Findings: {inline(str(project.get('name') or 'this project'))}", ""]
    if any(its.assessment.stub for its in found.experiments.values()):
        lines += [STUB, ""]
    if project.get("hypothesis"):
        lines += [f"Hypothesis: {inline(str(project['hypothesis']))}", ""]
    lines += [_counted(found), "", "## Experiments", ""]
    lines += table(
        ("experiment", "kind", "status", "criteria", "confidence", "recommendation"),
        (_row(its, results) for its in found.experiments.values()),
    )
    for its in found.experiments.values():
        lines += _numbers(its)
    if found.gates:
        lines += ["", "## Gates", "", "Computed from the records; nobody opens one by hand.", ""]
        lines += table(
            ("gate", "state", "why"),
            (
                (
                    f"{code(name)} {inline(one.gate.name)}",
                    "**open**" if one.open else "closed",
                    inline("; ".join(one.why)),
                )
                for name, one in found.gates.items()
            ),
        )
    return "\n".join([*lines, "", f"What to do next: {code(command_line('research-status', []))}."])


def entry(found: Standing, number: int, moment: str) -> str:
    """An entry of the history: where everything stood then."""
    stub = any(its.assessment.stub for its in found.experiments.values())
    lines = [f"### {number}. {moment}", "", *(["STUB, made-up figures.", ""] if stub else [])]
    for name, its in found.experiments.items():
        its_numbers = "; ".join(
            f"{code(one.criterion.metric)} {measured(one.figure)}, {one.verdict}"
            for one in its.assessment.criteria
        )
        lines.append(f"- {code(name)}: {_told(its)}" + (f"; {its_numbers}" if its_numbers else ""))
    lines += bullets(
        f"gate {code(name)}: {'open' if one.open else 'closed'}" for name, one in found.gates.items()
    )
    return "\n".join(lines)


def _counted(found: Standing) -> str:
    met = sum(its.assessment.met for its in found.experiments.values())
    done = sum(its.answered for its in found.experiments.values())
    total = len(found.experiments)
    experiments = "1 experiment" if total == 1 else f"{total} experiments"
    opened = sum(gate.open for gate in found.gates.values())
    gates = f" {opened} of {len(found.gates)} gates open." if found.gates else ""
    return f"{experiments}: {done} answered, {met} with every criterion met.{gates}"


def _row(its: Stands, results: str) -> tuple[str, ...]:
    found = its.assessment
    name = inline(its.experiment.name or its.experiment.id)
    if any(part.answer is not None for part in its.parts.values()):
        name = f"[{name}]({results}/{its.experiment.id}/FINDINGS.md)"
    return (
        name,
        its.experiment.kind,
        status(found),
        verdicts(found),
        found.confidence,
        f"**{found.recommendation}**",
    )


def _numbers(its: Stands) -> list[str]:
    """What an experiment has found and measured, in a few lines; nothing where there is nothing."""
    answered = [part for part in its.parts.values() if part.answer is not None]
    if not answered:
        return []
    lines = [f"- {said(part)}" for part in answered]
    lines += [
        f"- {code(one.criterion.metric)}: {measured(one.figure)}, **{one.verdict}** ({wanted(one.criterion)})"
        for one in its.assessment.criteria
        if one.figure is not None
    ]
    return ["", f"### {inline(its.experiment.name or its.experiment.id)}", "", *lines]


def _told(its: Stands) -> str:
    found = its.assessment
    return f"{status(found)}; {found.recommendation}, confidence {found.confidence}"
