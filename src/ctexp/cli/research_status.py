"""`research-status`: what is open, blocked and met, with the numbers; gates; what to do next."""

from ctexp.cli.research_tables import document, tell
from ctexp.config.paths import resolve_paths
from ctexp.core import screen
from ctexp.core.paths import project_root
from ctexp.research.places import Places
from ctexp.research.plan.load import load
from ctexp.research.standing.disagreements import disagreements
from ctexp.research.standing.following import following
from ctexp.research.standing.standing import standing


def research_status(json: bool) -> None:
    """Compute it anew from the records of handlers."""
    root = project_root().resolve()
    places = Places(root)
    plan = load(places.plan, places.plan.relative_to(root).as_posix())
    found = standing(root, plan, resolve_paths(root)[0])
    said, steps = disagreements(found), following(found, places)
    if json:
        screen.emit_json(document(found, said, steps))
    else:
        tell(found, steps)
    for line in (*plan.warnings, *said):
        screen.warn(line)
