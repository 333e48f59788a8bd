"""What the newest night has said, and what comes of it: what was better, and what is believed now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ctexp.core.metric_names import higher_is_better
from ctexp.evaluation.comparison import holm
from ctexp.planning.moves.survey import Considered
from ctexp.planning.plan.jobs import experiment_of
from ctexp.planning.proposal.candidates import experiment_name
from ctexp.planning.study.differences import Difference
from ctexp.planning.study.nights import newest_night, orders, summaries
from ctexp.planning.study.recipes import Recipe
from ctexp.planning.study.study import Study
from ctexp.record.index import RunSummary


@dataclass(frozen=True)
class _Seen:
    """A recipe of the night beside its baseline."""

    recipe: Recipe
    experiments: tuple[str, ...]
    difference: Difference
    outcome: str


def follows(
    study: Study, considered: Sequence[Considered], metric: str, chosen: Mapping[str, int]
) -> tuple[str, ...]:
    """A line for each thing the newest night has tried; none where there was no night.

    Args:
        study: what has been trained.
        considered: every move, with what is believed of it now.
        metric: that is looked at.
        chosen: moves that the new plan tries -> the seeds they get.
    """
    night = newest_night((*study.recipes, *study.failed))
    if night is None or study.incumbent is None:
        return ()
    before = _baseline(study, night)
    lines = []
    for one in _compared(study, before, night, metric):
        lines.append(
            f"{night}: {' and '.join(one.experiments)}: {_figures(one, before)}: {one.outcome}"
            f"{_then(one, study, before, considered, chosen)}"
        )
    for recipe in (*study.recipes, *study.failed):
        if lost := [run for run in recipe.lost if run.queue == night]:
            names = " and ".join(_experiments(lost))
            ends = " and ".join(sorted({run.state for run in lost}))
            lines.append(f"{night}: {names}: {len(lost)} of its trainings ended as {ends}")
    if lines and (left := _not_begun(study, night)):
        lines.append(f"{night}: {', '.join(left)}: nothing of it was judged; it counts as not tried")
    if not lines:
        return (f"{night}: trained {before.title} alone; its seeds are counted in the noise floor",)
    stands = [one.recipe for one in _compared(study, before, night, study.primary) if one.outcome == "better"]
    if study.incumbent in stands:
        end = f"{study.incumbent.title} is the incumbent from here on: it is established to be better"
    elif study.incumbent is before and not stands:
        end = f"{before.title} stays the incumbent: nothing of that night is established to be better"
    else:
        end = f"{study.incumbent.title} is the incumbent: {study.why_incumbent}"
    return (*lines, end)


def _not_begun(study: Study, night: str) -> list[str]:
    """Experiments of the night none of whose jobs came to a figure, but for its trial of the machinery."""
    its = [run for run in summaries((*study.recipes, *study.failed)) if run.queue == night]
    tried = {*_experiments(its), "smoke"}
    try:
        asked = [str(job["experiment"]) for job in orders(study.runs, night).get("jobs", ())]
    except (LookupError, TypeError):  # a damaged file
        return []
    return [name for name in dict.fromkeys(asked) if name not in tried]


def _baseline(study: Study, night: str) -> Recipe:
    """What the night compared with; the incumbent where its orders do not say."""
    incumbent = study.incumbent or study.recipes[0]
    name = orders(study.runs, night).get("baseline")
    for recipe in study.recipes:
        its = [run for run in summaries([recipe]) if run.queue == night]
        if name in _experiments(its) or name == recipe.title or name in recipe.names:
            return recipe
    return incumbent


def _compared(study: Study, before: Recipe, night: str, metric: str) -> list[_Seen]:
    """The night's other recipes, each beside the baseline; Holm over all of them."""
    found = []
    for recipe in reversed(study.recipes):  # the oldest first
        its = [run for run in summaries([recipe]) if run.queue == night]
        if its and recipe is not before and recipe.verb == before.verb:
            found.append((recipe, _experiments(its), study.difference(before, recipe, metric)))
    corrected = holm([difference.p for *_, difference in found])
    return [
        _Seen(recipe, names, difference, _outcome(difference, p, study.settings.alpha))
        for (recipe, names, difference), p in zip(found, corrected, strict=True)
    ]


def _outcome(its: Difference, p: float, alpha: float) -> str:
    if its.difference is None:
        return f"not compared ({its.reason})"
    if its.seed_source == "assumed":
        return "undecided, one training on either side"
    if p > alpha:
        return "undecided"
    return "better" if (its.difference > 0) == higher_is_better(its.metric) else "worse"


def _figures(one: _Seen, before: Recipe) -> str:
    its = one.difference
    if its.difference is None:
        return its.metric
    bounds = "" if its.low is None or its.high is None else f" ({its.low:+.3f} to {its.high:+.3f})"
    seeds = f"{len(one.recipe.seeds)} and {len(before.seeds)} seeds"
    return f"{its.metric} {its.difference:+.3f}{bounds} against {before.title}, {seeds}"


def _then(
    one: _Seen,
    study: Study,
    before: Recipe,
    considered: Sequence[Considered],
    chosen: Mapping[str, int],
) -> str:
    """What it did to the belief in the move that it was, and what comes of that."""
    if one.recipe is study.incumbent:
        return "; the next changes are made to it"
    # Two moves may come to the same: the one whose name the experiment has is the one that was meant.
    named = [its for its in considered if experiment_name(its.id, its.variant) in one.experiments]
    for move in (*named, *considered):
        past = move.posterior.tried if move.posterior else ()
        if move.posterior is None or not any(
            (its.before, its.after) == (before.title, one.recipe.title) for its in past
        ):
            continue
        belief = (
            f"; what is believed of {move.title} went from {move.posterior.prior.mean:+.3f} to "
            f"{move.posterior.belief.mean:+.3f}"
        )
        if move.title in chosen or move.id in chosen:
            seeds = chosen.get(move.title, chosen.get(move.id, 0))
            return f"{belief}, and it is tried again with {seeds} fresh seeds"
        return f"{belief}, and it is not proposed again{': ' + move.why_not if move.why_not else ''}"
    return ""


def _experiments(runs: Sequence[RunSummary]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(experiment_of(run.job) for run in runs if run.job))
