"""`plan --from SWEEP`: what the sweep has established, what it has not, and the night that finds out."""

from pathlib import Path

from ctexp.cli.plan_tables import print_schedule
from ctexp.core import clock, screen
from ctexp.core.errors import UsageError
from ctexp.planning.proposal.confirming import found, written
from ctexp.planning.proposal.documents import Wishes


def plan_sweep(
    root: Path, runs: Path, sweep: str, wishes: Wishes, *, explain: bool, overwrite: bool, json: bool
) -> None:
    """Read it, propose, write, tell."""
    if explain:
        raise UsageError(
            "--explain tells what moves are believed of; a night after a sweep makes none",
            f"see what the sweep says: scripts/inv sweep-best {sweep}",
        )
    with screen.status("reading the sweep"):
        its = found.read(root, runs, sweep)
    with screen.status("trying plans"):
        told = written.write(its, wishes, root, clock.now(), overwrite=overwrite)
    paths = [path.relative_to(root).as_posix() for path in told.paths]
    night = told.night
    if json:
        screen.emit_json(
            {
                "plan": night.plan.name,
                "files": paths,
                "sweep": its.told.id,
                "metric": its.told.metric,
                "established": list(its.established),
                "not_established": list(its.not_established),
                "baseline": night.plan.baseline,
                "best": list(its.best.words),
                "seeds": list(night.seeds),
                "finer": {"proposed": len(paths) > 2, "why": told.finer},
                "experiments": list(night.plan.experiments),
                "warnings": list(night.warnings),
                "schedule": night.schedule.document(),
            }
        )
        return
    print("established")
    for line in its.established:
        print(f"  {line}")
    print("not established")
    for line in its.not_established:
        print(f"  {line}")
    print(f"\nfiner sweep: {told.finer}\n")
    print_schedule(night.schedule)
    for line in night.warnings:
        screen.warn(line)
    print()
    for path in paths:
        print(path)
    name = night.plan.name
    inv = "scripts/inv"
    screen.note(f"next: {inv} plan-check {name}; {inv} plan-render {name}; bash scripts/{name}.sh")
