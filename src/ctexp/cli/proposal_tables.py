"""What `plan` prints of a proposal: what was found, what is to be done and why, what is left out."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table

from ctexp.core import clock, screen
from ctexp.planning.proposal.documents import Proposal, Reason
from ctexp.planning.proposal.wording import believed

_SHOWN = 8
"""Moves that are left out and told one by one; --explain tells all."""


def print_proposal(proposal: Proposal, files: Sequence[str]) -> None:
    """The plan and its reasons, for people."""
    print(proposal.said)
    for finding in proposal.diagnosis.seen:
        if finding.said.lower() not in proposal.said.lower():
            print(f"  also seen: {finding.said}")
    for line in proposal.follows:
        print(f"  {line}")
    for line in proposal.outlook:
        print(f"\n{line}" if line is proposal.outlook[0] else line)
    print()
    screen.results().print(_table(proposal))
    print("\nwhy")
    for name, reason in proposal.reasons.items():
        print(f"  {name}: {_why(proposal, reason)}")
    if proposal.assumptions:
        print("\ntaken for granted")
        for line in proposal.assumptions:
            print(f"  {line}")
    if proposal.left_out:
        print("\nleft out")
        for one in proposal.left_out[:_SHOWN]:
            print(f"  {one.move}: {one.why}")
        if len(proposal.left_out) > _SHOWN:
            print(f"  and {len(proposal.left_out) - _SHOWN} more: scripts/inv plan --explain")
    print()
    for file in files:
        print(file)
    name = proposal.plan.name
    unknown = " --measure" if proposal.assumed_minutes else ""
    inv = "scripts/inv"
    screen.note(f"next: {inv} plan-check {name}{unknown}; {inv} plan-render {name}; bash scripts/{name}.sh")


def document(proposal: Proposal, files: Sequence[str]) -> dict[str, Any]:
    """The same for programs."""
    return {
        "plan": proposal.plan.name,
        "files": list(files),
        "night": proposal.night,
        "said": proposal.said,
        "follows": list(proposal.follows),
        "metric": proposal.metric,
        "worthwhile": proposal.worthwhile,
        "detectable": proposal.detectable,
        "first": proposal.first,
        "outlook": list(proposal.outlook),
        "incumbent": proposal.incumbent,
        "why_incumbent": proposal.why_incumbent,
        "images": proposal.images,
        "baseline": proposal.plan.baseline,
        "experiments": [
            {"experiment": name, "seeds": _seeds(proposal, name)} | asdict(reason)
            for name, reason in proposal.reasons.items()
        ],
        "left_out": [asdict(one) for one in proposal.left_out],
        "assumptions": list(proposal.assumptions),
        "warnings": list(proposal.warnings),
        "diagnosis": proposal.diagnosis.document(),
        "schedule": proposal.schedule.document(),
    }


def _table(proposal: Proposal) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("experiment", no_wrap=True)
    table.add_column("changes")
    for heading in ("seeds", "takes", "expected gain"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, reason in proposal.reasons.items():
        table.add_row(
            name,
            escape(_changes(proposal, name, reason)),
            ", ".join(map(str, _seeds(proposal, name))),
            f"{'about ' if reason.assumed else ''}{clock.duration(60 * reason.minutes)}",
            "" if reason.expected_gain is None else f"{reason.expected_gain:+.4f}",
        )
    return table


def _why(proposal: Proposal, reason: Reason) -> str:
    if reason.move is None or reason.posterior is None:
        return reason.why
    return f"{reason.why}; {believed(reason.prior, reason.bonus, reason.posterior, proposal.metric)}"


def _changes(proposal: Proposal, name: str, reason: Reason) -> str:
    if reason.stage == "smoke":
        return "one epoch on a sample"
    base = proposal.plan.experiments[name].base
    if base is not None:
        several = len(base.best_of)
        return f"the best of the {several} above" if several > 1 else f"{base.best_of[0]}, once more"
    return ", ".join(reason.changes) or "nothing"


def _seeds(proposal: Proposal, name: str) -> list[int]:
    experiments: Mapping[str, Any] = proposal.plan.experiments
    return list(experiments[name].seeds or proposal.plan.seeds)
