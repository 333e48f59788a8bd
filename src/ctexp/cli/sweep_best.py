"""`sweep-best`: the best trial of a sweep, ready to paste, and whether it really is the best."""

import shlex
from collections.abc import Sequence

from ctexp.cli.sentences import wrapped
from ctexp.cli.sweep_rows import of_trial
from ctexp.config import verdict
from ctexp.config.compose import resolve_paths
from ctexp.core import screen
from ctexp.core.errors import DataError
from ctexp.core.paths import project_root
from ctexp.core.wording import many
from ctexp.record.manifest import command_line
from ctexp.sweeps.reading import opened
from ctexp.sweeps.reading.cautions import cautions
from ctexp.sweeps.reading.opened import Opened
from ctexp.sweeps.reading.standing import Standing, standing
from ctexp.sweeps.reading.summary import Summary, Trial, summarised
from ctexp.sweeps.reading.telling import (
    confirmation,
    difference,
    lucky,
    measured,
    night,
    ties,
    verdict_on,
)


def sweep_best(sweep: str, json: bool) -> None:
    """Print it, what it rests on, and what would confirm it."""
    root = project_root()
    _, runs = resolve_paths(root)
    its = opened.read(runs, sweep)
    alpha = verdict.load(root).alpha
    found = standing(its, alpha)
    told = summarised(its, found)
    if found is None or told.best is None:
        ended = sum(row.state in {"failed", "pruned"} for row in its.rows)
        raise DataError(
            f"{its.sweep.id}: no trial has finished "
            f"({many(len(its.rows), 'trial')} in all, {ended} failed or pruned)",
            f"look at them: scripts/inv sweep-status {its.sweep.id}",
        )
    minded = cautions(its, alpha)
    if json:
        screen.emit_json(_document(its, found, told, told.best, minded))
    else:
        _tell(its, found, told, told.best, minded)


def _tell(its: Opened, found: Standing, told: Summary, best: Trial, minded: Sequence[str]) -> None:
    of = f"{told.metric} over {told.trials} finished of {len(its.rows)} trials, {told.goal}d"
    print(wrapped(f"{told.id}: {of}"))
    left = sum(row.state in {"waiting", "running"} for row in its.rows)
    if left:
        print(f"still going on: {many(left, 'trial')} waiting or being trained")
    print()
    _trial("best", best, its)
    if told.rival is not None:
        _trial("runner-up", told.rival, its)
    if tied := ties(found):
        print(wrapped(tied))
    print()
    print(wrapped(verdict_on(found)))
    if found.effect is not None:
        print(wrapped(f"difference on the metric: {difference(found)}", "  "))
    if found.needed:
        print(wrapped(found.needed, "  "))
    if told.trials > 1:
        print(wrapped(lucky(its, found)))
    for line in minded:
        print(wrapped(f"mind: {line}"))
    print()
    print("paste:")
    print(f"  {command_line('train', (*told.base, *best.words))}")
    print("confirm it with seeds that the sweep has not seen, as a night:")
    print(f"  {night(told)}")
    if by_hand := confirmation(told):
        print("or by hand:")
        for line in by_hand:
            print(f"  {line}")


def _trial(name: str, trial: Trial, its: Opened) -> None:
    print(wrapped(f"{name}: trial {trial.number}, {measured(trial.mean, trial.error, len(trial.runs))}"))
    if its.spec.objective != "mean":
        print(f"  objective {trial.value:.4f}: its mean, worse by its standard error")
    print(wrapped(shlex.join(trial.words) or "nothing sets it apart", "  "))


def _document(
    its: Opened, found: Standing, told: Summary, best: Trial, minded: Sequence[str]
) -> dict[str, object]:
    effect = None
    if found.effect is not None:
        names = ("difference", "low", "high", "p", "seed_source", "reason")
        effect = {name: getattr(found.effect, name) for name in names} | {"images": found.images}
    return {
        "sweep": told.id,
        "metric": told.metric,
        "goal": told.goal,
        "objective": its.spec.objective,
        "trials": {"all": len(its.rows), "finished": told.trials},
        "base": list(told.base),
        "best": of_trial(best),
        "runner_up": of_trial(told.rival) if told.rival else None,
        "tied": list(found.tied),
        "established": told.established,
        "why": told.why,
        "effect": effect,
        "needed": found.needed or None,
        "luck": told.luck,
        "cautions": list(minded),
        "command": command_line("train", (*told.base, *best.words)),
        "confirm": [night(told)],
        "confirm_by_hand": confirmation(told),
    }
