"""What every rendered script says, wherever its jobs run; the templates beside this file ask for it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ctexp.executors.settings import DEFAULT
from ctexp.planning.plan.document import Plan
from ctexp.planning.plan.jobs import in_order, jobs_of
from ctexp.planning.render.analysis import analysis_lines
from ctexp.planning.render.seal import sealed
from ctexp.planning.render.table import job_table, keys_of
from ctexp.planning.render.words import WIDTH, filled, quoted

_PLACE = re.compile(r"@([a-z0-9_]+)@")


def usual(plan: str, executor: str) -> str:
    """Where the script of a plan is put if nobody says otherwise, from the project's root."""
    return f"scripts/{plan}.sh" if executor == DEFAULT else f"scripts/{plan}.{executor}.sh"


@dataclass(frozen=True)
class Script:
    """What is to be rendered: the same bytes, in ASCII, for the same plan.

    Attributes:
        plan: checked.
        plan_file: where it is, from the project's root; `plan_sha256` of its bytes.
        root: the project's, from the folder of the script, or absolute.
        path: where the script will be, from the root, or absolute; None for where `plan-render` puts it.
    """

    plan: Plan
    plan_file: str
    plan_sha256: str
    root: str = ".."
    path: str | None = None

    def rendered(self, template: str, executor: str, more: Mapping[str, str]) -> str:
        """The script.

        Args:
            template: the name of a file beside this one.
            executor: the name of the file in `conf/executor` that says where jobs run.
            more: what this template asks for beside what all ask for.

        Raises:
            UsageError: an override cannot stand on a command line.
        """
        jobs = in_order(jobs_of(self.plan))
        table = {
            "keys": "\n".join(f"    {line}" for line in filled(keys_of(jobs), WIDTH - 4)),
            "jobs": job_table(jobs),
            "analysis": analysis_lines(self.plan, jobs),
        }
        values = {
            "plan": self.plan.name,
            "count": "1 job" if len(jobs) == 1 else f"{len(jobs)} jobs",
            "plan_file": quoted(self.plan_file),
            "plan_sha256": self.plan_sha256,
            "root": quoted(self.root) if self.root.startswith("/") else f'"$folder"/{quoted(self.root)}',
            "functions": _filled(_read("functions.sh").rstrip(), table),
            "script": quoted(self.path or usual(self.plan.name, executor)),
        }
        return sealed(_filled(_read(template), {**values, **more}))


def _read(template: str) -> str:
    return Path(__file__).with_name(template).read_text()


def _filled(template: str, values: Mapping[str, str]) -> str:
    """The template with its values; what looks like a place inside a value stays as it is."""
    return _PLACE.sub(lambda place: values[place[1]], template)
