"""`reproduce`: make a run again from its record alone, and say whether it is the same."""

import math

from ctexp.cli.meant import the_one
from ctexp.config.compose import resolve_paths
from ctexp.core import screen
from ctexp.core.errors import CriterionNotMet, UsageError
from ctexp.core.paths import project_root
from ctexp.record.run_dir import RunDir
from ctexp.reproduction.make import TOLERANCE, Asked, Project, Reproduction
from ctexp.reproduction.recorded import recorded
from ctexp.reproduction.summary import summary


def reproduce(run: str, here: bool, tolerance: str, keep: bool, json: bool) -> int:
    """Make a run again, print the verdict; the exit code says whether it holds."""
    if not run:
        raise UsageError(
            "which run? none was named", "scripts/inv reproduce --run RUN; `scripts/inv runs` lists them"
        )
    asked = Asked(here=here, tolerance=_tolerance(tolerance), keep=keep)
    root = project_root()
    data_dir, runs = resolve_paths(root)
    found = the_one(root, run)
    if not isinstance(found, RunDir):
        raise UsageError(
            f"{found.id}: a cross-validation",
            f"name one of its runs; `scripts/inv show {found.id}` lists them",
        )
    of = recorded(found)
    with screen.status(f"making {found.id} again") as follow:
        place, verdict = Reproduction(
            of, Project(root, data_dir, runs), asked, tell=screen.note, follow=follow
        ).carry_out()
    if json:
        screen.emit_json(verdict.document() | {"path": str(place.path)})
    else:
        print(summary(verdict, place.path), end="")
    return 0 if verdict.holds else CriterionNotMet.exit_code


def _tolerance(said: str) -> float:
    if not said:
        return TOLERANCE
    try:
        value = float(said)
    except ValueError:
        value = math.nan
    if not 0 <= value < 1:
        raise UsageError(f"--tolerance: {said!r} is no number from 0 to 1", f"the default is {TOLERANCE:g}")
    return value
