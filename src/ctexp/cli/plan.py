"""`plan`: propose a plan from what has been learned, and say what it rests on."""

from ctexp.cli.proposal_tables import document, print_proposal
from ctexp.config.compose import resolve_paths
from ctexp.core import clock, screen
from ctexp.core.paths import project_root
from ctexp.planning.diagnosis.diagnose import diagnose
from ctexp.planning.moves import catalogue
from ctexp.planning.moves.explain import explain as explained
from ctexp.planning.proposal import wishes as wishing
from ctexp.planning.proposal import written
from ctexp.planning.proposal.confirming.found import meant
from ctexp.planning.proposal.considering import consider
from ctexp.planning.proposal.propose import propose
from ctexp.planning.study import reading


def plan(
    name: str,
    override: list[str] | None,
    window: str,
    focus: list[str] | None,
    goal: str,
    from_: str | None,
    explain: bool,
    overwrite: bool,
    json: bool,
) -> None:
    """Read what there is, propose, write, tell; or tell what a proposal would rest on."""
    root = project_root().resolve()
    wishes = wishing.read(
        name or wishing.free_name(written.names(root)),
        window=window,
        focus=focus or (),
        goal=goal,
        start=from_,
        overrides=override or (),
    )
    data_dir, runs = resolve_paths(root)[:2]
    if wishes.start and (sweep := meant(runs, wishes.start)):
        from ctexp.cli.plan_sweep import plan_sweep  # with all that reads sweeps

        plan_sweep(root, runs, sweep, wishes, explain=explain, overwrite=overwrite, json=json)
        return
    moves = catalogue.load(root)
    with screen.status("reading runs"):
        study = reading.read(root, runs, start=wishes.start, data_dir=data_dir)
        found = diagnose(study)
    if explain:
        looked = consider(study, found, moves, wishes)
        left_out = {one.move: one.why for one in looked.left_out}
        told = explained(
            looked.considered, looked.offers, looked.metric, looked.noise, left_out, looked.design.seeds
        )
        if json:
            screen.emit_json(told)
        else:
            from ctexp.cli.plan_explain import print_explained

            print_explained(told)
        return
    with screen.status("trying plans"):
        proposal = propose(study, found, moves, wishes, clock.now())
    files = written.write(proposal, root, overwrite=overwrite)
    if json:
        screen.emit_json(document(proposal, [path.relative_to(root).as_posix() for path in files]))
    else:
        print_proposal(proposal, [path.relative_to(root).as_posix() for path in files])
