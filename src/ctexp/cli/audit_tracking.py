"""`audit-tracking`: what the records of runs have of what reproducing and finding them takes."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ctexp.checklist.advice import Advice, advise, assessment
from ctexp.checklist.audit import Audit, audit
from ctexp.checklist.evidence import read
from ctexp.checklist.facts import Facts, facts
from ctexp.cli import audit_tables
from ctexp.cli.meant import all_of
from ctexp.config.paths import resolve_paths
from ctexp.core import screen, tracker_key
from ctexp.core.errors import DataError
from ctexp.core.paths import project_root
from ctexp.monitor.neighbours import Neighbours
from ctexp.record.find import no_runs
from ctexp.record.run_dir import RunDir


def audit_tracking(run: str, json: bool) -> None:
    """Audit a run, or those that a word means; the whole project where none is named."""
    root = project_root().resolve()
    runs = resolve_paths(root)[1]
    with screen.status("reading runs"):
        others = Neighbours(runs)
        every = [one.id for one in others.every]
        if not every:
            raise no_runs(runs)
        chosen = all_of(root, others, run) if run else every
    title = _title(run, chosen, root)
    directories = [RunDir(runs / one) for one in chosen]
    with screen.steps() as progress:
        # A project's weights are gigabytes: of all runs at once they are only looked for.
        found = audit(title, directories, root, thorough=bool(run), progress=progress)
    advice = advise(found, _relatives(runs, others, found), account=tracker_key.present())
    if json:
        screen.emit_json(_document(found, advice))
    else:
        audit_tables.tell(found, advice)


def _title(run: str, chosen: Sequence[str], root: Path) -> str:
    """What to call it: the run, the word that means several, or the project."""
    if not run:
        return f"project {root.name}"
    return chosen[0] if len(chosen) == 1 else run


def _relatives(runs: Path, others: Neighbours, found: Audit) -> list[Facts]:
    """What is known of the audited runs, and of others of their names."""
    known = {run.run: run.facts for run in found.runs}
    names = {one.name for one in known.values() if one is not None}
    told = [one for one in known.values() if one is not None]
    for other in others.every:
        if other.name in names and other.id not in known and other.parent is None:
            try:
                told.append(facts(read(RunDir(runs / other.id), None, thorough=False)))
            except DataError:
                continue
    return told


def _document(found: Audit, advice: Advice) -> dict[str, Any]:
    return {
        "subject": found.title,
        "score": found.score,
        "verdict": found.verdict,
        "assessment": assessment(found),
        **advice.document(),
        "points": [
            {
                "point": point.id,
                "weight": point.weight,
                "asks": point.asks,
                "vital": point.vital,
                "share": None if share is None else round(share, 4),
                "lacking": [name for name, _ in lacking],
            }
            for point, share, lacking in found.shares()
        ],
        "runs": [
            {
                "run": one.run,
                "state": one.state,
                "score": round(one.score, 1),
                "critical": [mark.point.id for mark in one.critical],
                "problems": list(one.problems),
                "marks": [asdict(mark) | {"point": mark.point.id} for mark in one.marks],
            }
            for one in found.runs
        ],
    }
