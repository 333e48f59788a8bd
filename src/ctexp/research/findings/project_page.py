"""What the project's page says: where every experiment and every gate stands, with the numbers."""

from ctexp.core.wording import many
from ctexp.record.manifest import command_line
from ctexp.research.findings.experiment_page import STUB, verdicts
from ctexp.research.findings.wording import advice, begun, bullets, code, inline, measured, status, table
from ctexp.research.standing.standing import Standing, Stands


def head(found: Standing, results: str) -> str:
    """The generated head of the project's page."""
    project = found.plan.project
    lines = [f"# Findings: {inline(str(project.get('name') or 'this project'))}", ""]
    if any(its.assessment.stub for its in found.experiments.values()):
        lines += [STUB, ""]
    if project.get("hypothesis"):
        lines += [f"Hypothesis: {inline(str(project['hypothesis']))}", ""]
    lines += [_counted(found), "", "## Experiments", ""]
    lines += table(
        ("experiment", "kind", "status", "what was measured", "confidence", "recommendation"),
        (_row(its, results) for its in found.experiments.values()),
    )
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


def history(found: Standing) -> list[str]:
    """What counts, a line for every experiment and gate that is answered; see `history` of this package."""
    done = {name: its for name, its in found.experiments.items() if its.answered and not its.waits}
    lines = [f"{code(name)}: {_told(its)}" for name, its in done.items()]
    lines += [
        f"gate {code(name)}: {'open' if its.open else 'closed'}"
        for name, its in found.gates.items()
        if its.gate.experiments and done.keys() >= set(its.gate.experiments)
    ]
    return bullets(lines)


def _told(its: Stands) -> str:
    found, numbers = its.assessment, _numbers(its)
    said = f"{status(found)}, {found.recommendation}, confidence {found.confidence}"
    return f"{said}; {numbers}" if numbers else said


def _counted(found: Standing) -> str:
    met = sum(its.assessment.met for its in found.experiments.values())
    done = sum(its.answered for its in found.experiments.values())
    experiments = many(len(found.experiments), "experiment")
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
        _numbers(its) or (verdicts(found) if begun(found) else ""),
        found.confidence if begun(found) else "",
        f"**{advice(found)}**",
    )


def _numbers(its: Stands) -> str:
    """What was measured of its criteria, with the verdicts; empty where nothing was."""
    return "; ".join(
        f"{code(one.criterion.metric)} {measured(one.figure)}: {one.verdict}"
        for one in its.assessment.criteria
        if one.figure is not None
    )
