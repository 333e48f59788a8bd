"""Runs by what they were trained with: those that differ by their seed alone are one recipe."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ctexp.core.wording import some
from ctexp.planning.plan.jobs import key_of, last_words
from ctexp.planning.study.configurations import MINUTES, Configurations, Flat, Identities, typed
from ctexp.planning.study.recipes import Recipe, Trained
from ctexp.planning.study.records import Folds, stamp
from ctexp.record.index import RunSummary
from ctexp.record.run_dir import RunDir
from ctexp.record.subjects import SEED_KEYS

_FOLD = "data.fold"


class Grouped(NamedTuple):
    """What trainings fall into.

    Attributes:
        recipes: newest first.
        failed: those none of whose runs was judged, likewise.
        notes: what is to be told of them, one line each.
    """

    recipes: tuple[Recipe, ...]
    failed: tuple[Recipe, ...]
    notes: tuple[str, ...]


@dataclass
class _Group:
    """What will be a recipe; everything newest first."""

    settings: Flat
    judged: list[RunSummary] = field(default_factory=list)
    lost: list[RunSummary] = field(default_factory=list)
    folds: list[Folds] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        return [one.id for one in self.folds] or [run.id for run in self.judged or self.lost]


def grouped(
    judged: Sequence[RunSummary],
    lost: Sequence[RunSummary],
    folds: Sequence[Folds],
    elsewhere: Iterable[str],
) -> Grouped:
    """Put trainings of one set of images together by their configurations.

    Args:
        judged: single trainings that were measured, newest first.
        lost: those that ended in another way, likewise.
        folds: cross-validations, likewise.
        elsewhere: names of runs on other images, which a name alone may mean as well.
    """
    configurations = Configurations()
    of_judged = [(run, settings) for run in judged if (settings := configurations.of(run)) is not None]
    of_lost = [(run, settings) for run in lost if (settings := configurations.of(run)) is not None]
    identities = Identities(settings for run, settings in of_judged if run.state == "timeout")
    groups: dict[str, _Group] = {}

    def group(settings: Flat) -> _Group:
        identity, its = identities.of(settings)
        return groups.setdefault(identity, _Group(its))

    for run, settings in of_judged:
        group(settings).judged.append(run)
    for run, settings in of_lost:
        group(settings).lost.append(run)
    for one in folds:
        if (settings := configurations.of(one.judged[0])) is not None:
            whole = group(settings | {_FOLD: 0})
            whole.folds.append(one)
            whole.lost += one.lost
    kept = sorted(groups.values(), key=lambda its: max(map(stamp, its.ids)), reverse=True)
    owners = Counter(name for its in kept for name in {run.name for run in its.judged})
    owners.update(set(elsewhere))
    recipes = tuple(_recipe(its, owners) for its in kept if its.judged or its.folds)
    failed = tuple(_recipe(its, owners) for its in kept if not (its.judged or its.folds))
    return Grouped(recipes, failed, tuple(_notes(configurations.damaged, recipes)))


def _recipe(group: _Group, owners: Mapping[str, int]) -> Recipe:
    newest: dict[int, list[RunSummary]] = {}
    for runs in [one.judged for one in group.folds] or [(run,) for run in group.judged]:
        of_seed: dict[int, list[RunSummary]] = {}
        for run in runs:
            of_seed.setdefault(run.seed or 0, []).append(run)
        newest = of_seed | newest
    chosen = [Trained(seed, RunDir(run.path), run) for seed in sorted(newest) for run in newest[seed]]
    used = {one.summary.parent for one in chosen}
    names = [run.name for run in ([one.summary for one in chosen] or group.lost)]
    ordered = tuple(name for name, _ in Counter(names).most_common())
    alone = [name for name in ordered if owners[name] <= 1]
    return Recipe(
        title=group.ids[0] if group.folds or not alone else alone[0],
        words=_words(group),
        settings=group.settings,
        runs=tuple(chosen),
        lost=tuple(group.lost),
        cross_validations=tuple(one.id for one in group.folds if one.id in used),
        names=ordered,
    )


def _words(group: _Group) -> tuple[str, ...]:
    """What a person typed for its newest run, less what leaves an experiment the same."""
    if group.folds:
        words = list(group.folds[0].record.overrides)
    else:
        words = typed(RunDir((group.judged or group.lost)[0].path))
    free = SEED_KEYS if group.settings.get(MINUTES) is not None else (*SEED_KEYS, f"{MINUTES}.")
    return tuple(word for word in last_words(words) if not f"{key_of(word)}.".startswith(free))


def _notes(damaged: Sequence[str], recipes: Sequence[Recipe]) -> list[str]:
    notes = [f"{run}: its configuration cannot be read, left out" for run in damaged]
    notes += [
        f"{' and '.join(recipe.names)} are one configuration, told as {recipe.title}"
        for recipe in recipes
        if len(recipe.names) > 1
    ]
    trained = [one.summary for recipe in recipes for one in recipe.runs]
    short = [run.id for run in trained if run.state == "timeout"]
    if short:
        notes.append(f"trained less than they were to, as time ran out: {some(short)}")
    dirty = [run.id for run in trained if run.dirty]
    if dirty:
        notes.append(f"trained with uncommitted changes, which their records hold: {some(dirty)}")
    return notes
