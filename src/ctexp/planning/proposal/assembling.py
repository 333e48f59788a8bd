"""The parts of a night put together: what comes first, what is compared, what all of it takes for granted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, islice

from ctexp.core import yaml_file
from ctexp.core.dotted import flattened
from ctexp.core.errors import CtexpError, UsageError
from ctexp.core.wording import many
from ctexp.planning.plan.document import Improvement
from ctexp.planning.plan.jobs import last_words
from ctexp.planning.proposal.candidates import Candidate
from ctexp.planning.proposal.considering import Considering
from ctexp.planning.proposal.seeds import MOST, Design
from ctexp.planning.proposal.sharing import Night, passing
from ctexp.planning.proposal.stages import (
    Part,
    baseline,
    better_than_nothing,
    coarse,
    confirmation,
    rival,
    smoke,
    words_of_smoke,
)
from ctexp.planning.study.incumbent import shrunk
from ctexp.planning.study.recipes import Recipe
from ctexp.planning.study.study import Study
from ctexp.record.subjects import differing_keys, subject

BASELINE = "baseline"


@dataclass(frozen=True)
class Assembled:
    """A night.

    Attributes:
        parts: its experiments, in the order of running.
        baseline: what the plan calls so.
        seeds: those of the plan.
        design: what they decide among `hypotheses`.
        above: a comment for what it stands above in the file.
        assumptions: what is taken for granted, one line each.
    """

    parts: tuple[Part, ...]
    baseline: str
    seeds: tuple[int, ...]
    design: Design
    hypotheses: int
    above: Mapping[str, str] = field(hash=False)
    assumptions: tuple[str, ...]


def assemble(study: Study, looked: Considering, chosen: Sequence[Candidate], seeds: int) -> Assembled:
    """Put a night together.

    Args:
        study: what has been trained.
        looked: what was looked at.
        chosen: the changes that it tries.
        seeds: a side.
    """
    ground = looked.ground
    single = [one for one in chosen if not one.ways]
    hypotheses = len(chosen) + (1 if len(single) > 1 else 0)
    design = looked.question.design(seeds, hypotheses)
    own = _trained_before(study, looked, seeds) if chosen else None
    night = _night(study, looked, design, own)
    parts = [_smoke(study, looked)]
    if own is None:
        parts.append(_baseline(study, looked, night))
    if not looked.question.spread.tells or looked.night == "noise floor":
        parts += _rival(study, looked, night)
    for one in chosen:
        parts += coarse(night, one)
    if len(single) > 1:
        best = max(single, key=lambda one: one.expected_gain)
        parts.append(confirmation(night, "winner", [one.name for one in single], best))
    parts.sort(key=lambda one: -one.experiment.priority)
    made = [part for part in parts if isinstance(part.experiment.success, Improvement)]
    return Assembled(
        parts=tuple(parts),
        baseline=night.baseline,
        seeds=night.seeds,
        design=design,
        hypotheses=len(made),
        above=_above(looked, parts, night),
        assumptions=(*ground.assumptions, *_assumptions(study, looked, night, len(made), own)),
    )


def _night(study: Study, looked: Considering, design: Design, own: Recipe | None) -> Night:
    ground = looked.ground
    used = {seed for one in study.recipes for seed in one.seeds} if looked.night != "clean split" else set()
    free = (seed for seed in count(1) if seed not in used)
    wide = not looked.question.spread.tells and looked.night != "first" and own is None
    first = tuple(islice(free, max(design.seeds, MOST if wide else 0)))
    mean = study.mean(ground.incumbent, "val/balanced_accuracy") if ground.incumbent and ground.same else None
    length = looked.lengths.of(ground.composed.resolved)
    return Night(
        kind=ground.kind,
        metric=looked.metric,
        design=design,
        worthwhile=study.settings.worthwhile,
        seeds=first[: design.seeds],
        first=first,
        fresh=tuple(islice(free, design.seeds)),
        baseline=own.title if own else BASELINE,
        ours=own is None,
        passing=passing(mean),
        minutes=length.p50 / 60,
        assumed=length.assumed,
    )


def _trained_before(study: Study, looked: Considering, seeds: int) -> Recipe | None:
    """The incumbent, where it can be the baseline as it stands: enough seeds under a name of their own."""
    one = looked.ground.incumbent
    if one is None or not looked.ground.same or looked.night != "ordinary":
        return None
    if one.cross_validations or one.title not in one.names or len(one.seeds) < seeds:
        return None
    try:
        meant = subject(study.runs, one.title)
    except CtexpError:
        return None
    return one if {run.id for run in meant.runs} == {its.run.id for its in one.runs} else None


def _smoke(study: Study, looked: Considering) -> Part:
    document = yaml_file.read_mapping(study.root / "conf" / "experiment" / "smoke.yaml")
    cites = looked.ground.incumbent.cites if looked.ground.incumbent else ()
    words = words_of_smoke(document)
    try:
        composed = looked.composer.compose(last_words([*looked.ground.words, *words]))
    except UsageError:
        return smoke(("experiment=smoke",), None, cites)
    return smoke(words, looked.lengths.trial(composed.resolved), cites)


def _baseline(study: Study, looked: Considering, night: Night) -> Part:
    ground = looked.ground
    one = ground.incumbent
    if one is None or not ground.same:
        title = "the recommended recipe" if one is None else f"{one.title} on {ground.images.said}"
        why = (
            "without it nobody knows what chance does"
            if one is None
            else "nothing was trained like this before, so there is nothing to compare with yet"
        )
        seen = "" if night.passing is None else f"Balanced accuracy above {night.passing:g} (guessing: 0.25)."
        return baseline(night, title, seen, why, "it stays at chance", one.cites if one else ())
    mean = study.mean(one, night.metric)
    sd = looked.noise.sd if looked.noise else None
    seen = "Something like what was seen." if mean is None else better_than_nothing(night.metric, mean, sd)
    if mean is None or sd is None:
        refuted = "its seeds lie far from what was seen of it: then something else has changed"
    else:
        reach = 2 * sd * (1 / len(night.first) + 1 / len(one.seeds)) ** 0.5
        refuted = (
            f"its mean is outside {mean - reach:.3f} to {mean + reach:.3f}, two errors about what was seen: "
            "then something else has changed"
        )
    why = (
        f"{one.title} has {many(len(one.seeds), 'seed')} so far; with fresh ones chance shows, and what "
        "made it the best is not counted twice"
    )
    return baseline(night, f"the incumbent ({one.title})", seen, why, refuted, one.cites)


def _rival(study: Study, looked: Considering, night: Night) -> list[Part]:
    """The best other recipe, where its words can be said: as many seeds of it, and nothing claimed."""
    if looked.ground.incumbent is None or not looked.ground.same:
        return []
    found = []
    for its in shrunk(study, study.primary):
        if its.recipe is looked.ground.incumbent or its.recipe.verb != looked.ground.recipe.verb:
            continue
        words = _words_to(looked, its.recipe)
        if words:
            found.append((its.recipe, words))
    if not found:
        return []
    recipe, words = next((one for one in found if len(one[1]) == 1), found[0])
    why = (
        f"it is next best, by {many(len(recipe.seeds), 'seed')}; as many seeds on either side show "
        "whether there is any difference"
    )
    return [rival(night, "rival", recipe.title, words, why, recipe.cites)]


def _words_to(looked: Considering, other: Recipe) -> tuple[str, ...]:
    """What turns the night's words into another recipe; nothing where nothing short does."""
    common = set(looked.ground.words)
    own = tuple(word for word in other.words if word not in common)
    settings = _settings_to(looked, other)
    short = tuple(
        word.replace(".name=", "=") for word in settings
    )  # sampler=uniform, not sampler.name=uniform
    for words in (own, short, settings):
        try:
            made = flattened(looked.composer.compose(last_words([*looked.ground.words, *words])).resolved)
        except UsageError:
            continue
        if words and not differing_keys(made, dict(other.settings)):
            return words
    return ()


def _settings_to(looked: Considering, other: Recipe) -> tuple[str, ...]:
    mine = dict(looked.ground.recipe.settings)
    return tuple(
        f"{key}={'null' if other.settings.get(key) is None else other.settings[key]}"
        for key in differing_keys(mine, dict(other.settings))
        if key in other.settings
    )


def _above(looked: Considering, parts: Sequence[Part], night: Night) -> dict[str, str]:
    one = looked.ground.incumbent
    of = f"What makes {one.title}" if one and looked.ground.same else "What every job has in common"
    above = {"common": f"{of}, so that two jobs differ in one thing."}
    if not night.ours:
        above["baseline"] = "Trained already, with as many seeds as are needed."
    stages = {"coarse": "One change at a time.", "confirmation": "The best of them, with fresh seeds."}
    for stage, line in stages.items():
        first = next((part.name for part in parts if part.reason.stage == stage), None)
        if first:
            above[first] = line
    return above


def _assumptions(
    study: Study, looked: Considering, night: Night, hypotheses: int, own: Recipe | None
) -> list[str]:
    design, lines = night.design, []
    name = looked.metric
    if not hypotheses and looked.night != "noise floor":
        lines.append(
            "no change is compared tonight: none is left that applies and has room; see what is left out"
        )
    if own is not None:
        lines.append(
            f"{own.title} is the baseline as it was trained before, {len(own.seeds)} seeds; nothing else has "
            "changed since"
        )
    if looked.noise is None:
        lines.append(f"how far seeds spread {name} is not known yet; the baseline's seeds will tell")
    elif hypotheses:
        lines.append(
            f"seeds spread {name} by {looked.noise.sd:.3f} (95 % {looked.noise.low:.3f} to "
            f"{looked.noise.high:.3f}, by {many(looked.noise.df, 'degree')} of freedom)"
        )
    if hypotheses and not design.decidable:
        few = f"{looked.ground.images.witnesses} independent validation images are too few"
        lines.append(f"{few} to call anything better: no criterion is stated")
    elif hypotheses and design.detectable is not None:
        among = f" among {hypotheses} criteria" if hypotheses > 1 else ""
        best = "" if looked.question.spread.tells else " at best, whatever seeds will do"
        worthwhile = study.settings.worthwhile
        small = design.detectable > worthwhile and name == study.primary
        smaller = f"; smaller ones, also those of {worthwhile:g} that would be worthwhile, may stay undecided"
        lines.append(
            f"with {design.seeds} seeds a side a gain of {design.detectable:.2f} would be noticed four "
            "times in "
            f"five{among}{best}{smaller if small else ''}"
        )
    return lines
