"""`diagnose`: what keeps the project from being better, with its evidence; or that nobody can tell yet."""

from ctexp.config.compose import resolve_paths
from ctexp.core import screen
from ctexp.core.paths import project_root
from ctexp.planning.diagnosis.diagnose import diagnose as diagnosed
from ctexp.planning.study import reading


def diagnose(runs: list[str] | None, json: bool) -> None:
    """Read the study, ask every rule, tell.

    Args:
        runs: words for the trainings to look at, as `study.read` takes them; none for all.
        json: whether to print the document.
    """
    root = project_root().resolve()
    data_dir, runs_dir = resolve_paths(root)[:2]
    with screen.status("reading runs"):
        study = reading.read(root, runs_dir, runs or (), data_dir=data_dir)
        found = diagnosed(study)
    if json:
        screen.emit_json(found.document())
        return

    from ctexp.cli.diagnosis_tables import tell

    tell(found, study.why_incumbent)
