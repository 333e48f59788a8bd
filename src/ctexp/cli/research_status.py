"""`research-status`: what is running, open, blocked and met, with the numbers; gates; what to do next."""

from ctexp.cli.research_tables import document, tell
from ctexp.config.paths import resolve_paths
from ctexp.core import screen
from ctexp.core.paths import project_root
from ctexp.research.places import Places
from ctexp.research.plan.load import load
from ctexp.research.running.experiment import Start, lock_of
from ctexp.research.standing.disagreements import disagreements
from ctexp.research.standing.following import following
from ctexp.research.standing.standing import standing


def research_status(json: bool) -> None:
    """Compute it anew from the records of handlers."""
    root = project_root().resolve()
    places = Places(root)
    plan = load(places.plan, places.plan.relative_to(root).as_posix())
    start = Start(root, *resolve_paths(root))
    found = standing(root, plan, start.data)
    running = {name for name in plan.experiments if lock_of(start, name).is_held()}
    said, steps = disagreements(found), following(found, places, running)
    if json:
        screen.emit_json(document(found, said, steps, running))
    else:
        tell(found, steps, running)
    for line in (*plan.warnings, *said):
        screen.warn(line)
