"""The script of a night on this machine, made from `bash.sh` and `functions.sh` beside this file."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from ctexp.planning.plan.document import Plan
from ctexp.planning.plan.jobs import Job, in_order
from ctexp.planning.render.analysis import analysis_lines
from ctexp.planning.render.seal import sealed
from ctexp.planning.render.table import job_table, keys_of
from ctexp.planning.render.words import WIDTH, filled, quoted

_PLACE = re.compile(r"@([a-z0-9_]+)@")


_HERE = "local"
"""The executor that is meant where none is named."""


def bash_script(
    plan: Plan,
    jobs: Sequence[Job],
    plan_file: str,
    plan_sha256: str,
    root: str = "..",
    executor: str = _HERE,
    script: str | None = None,
) -> str:
    """The same bytes for the same plan, in ASCII.

    Args:
        plan: checked.
        jobs: all of its jobs.
        plan_file: where the plan is, from the project's root.
        plan_sha256: of its bytes.
        root: the project's, from the folder of the script, or absolute.
        executor: which file of `conf/executor` says where jobs run.
        script: where it will be, from the project's root, or absolute; else where `plan-render` puts it.

    Raises:
        UsageError: an override cannot stand on a command line.
    """
    template = Path(__file__).with_name("bash.sh").read_text()
    said = "" if executor == _HERE else f" --executor {executor}"
    asked = {"executor": said, "rendered": said, "script": quoted(script or f"scripts/{plan.name}.sh")}
    return sealed(fill(template, values(plan, jobs, plan_file, plan_sha256, root) | asked))


def values(plan: Plan, jobs: Sequence[Job], plan_file: str, plan_sha256: str, root: str) -> dict[str, str]:
    """What the templates of scripts ask for, by the name between their `@`."""
    ordered = in_order(jobs)
    table = {
        "keys": "\n".join(f"    {line}" for line in filled(keys_of(ordered), WIDTH - 4)),
        "jobs": job_table(ordered),
        "analysis": analysis_lines(plan, ordered),
    }
    return {
        "plan": plan.name,
        "count": "1 job" if len(jobs) == 1 else f"{len(jobs)} jobs",
        "plan_file": quoted(plan_file),
        "plan_sha256": plan_sha256,
        "root": quoted(root) if root.startswith("/") else f'"$folder"/{quoted(root)}',
        "functions": fill(Path(__file__).with_name("functions.sh").read_text().rstrip(), table),
    }


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with its values; what looks like a place inside a value stays as it is."""
    return _PLACE.sub(lambda place: values[place[1]], template)
