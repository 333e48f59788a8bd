"""Jobs that differ in nothing, and experiments that differ from the baseline in more than they say.

A comparison is controlled where one thing is changed and all else is equal: only then does the difference
seen have one cause. A choice of a file (`model=resnet50`) is one thing, however many settings it brings; so
are changes of which none is a configuration without the others, such as features and the network for them.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ctexp.config.compose import Composed
from ctexp.config.keys import EXPERIMENT
from ctexp.config.validate import validated
from ctexp.core.dotted import flattened
from ctexp.core.wording import some
from ctexp.planning.checking.composition import Configured, firsts
from ctexp.planning.checking.findings import Findings
from ctexp.planning.plan.document import Plan
from ctexp.planning.plan.jobs import experiment_of, key_of, last_words
from ctexp.record.subjects import SEED_KEYS, differing_keys

_OF_FOLDS = {"data.split", "data.fold"}
"""What a cross-validation sets itself."""


def check_likeness(plan: Plan, configured: Sequence[Configured], found: Findings) -> None:
    """Find jobs that are the same, fallbacks that are what has failed, and uncontrolled comparisons."""
    _check_twins(configured, found)
    _check_names(configured, found)
    first = {one.job.experiment: one for one in firsts(configured)}
    for name, one in first.items():
        for kind, composed in one.fallbacks.items():
            if not differing_keys(flattened(one.composed.resolved), flattened(composed.resolved)):
                place = ("experiments", name, "fallback", kind)
                found.problem(place, "changes nothing: it would fail again")
    if plan.baseline in first:
        _check_controlled(plan, first, first[plan.baseline], found)


def _check_twins(configured: Sequence[Configured], found: Findings) -> None:
    """Two jobs of one configuration and seed; one on a base, where it is another's whatever wins."""
    plain: dict[str, str] = {}
    twins: dict[tuple[str, str], list[str]] = {}
    for one in configured:
        if not one.bases:
            other = plain.setdefault(_identity(one, one.composed), one.job.id)
            if other != one.job.id:
                experiment = experiment_of(other)
                twins.setdefault((one.job.experiment, experiment), []).append(f"{one.job.id} and {other}")
    for (name, _), pairs in twins.items():
        found.problem(("experiments", name), f"jobs that differ in nothing: {some(pairs)}")
    for one in configured:
        if one.bases and all(_identity(one, composed) in plain for composed in one.bases.values()):
            found.problem(
                ("experiments", one.job.experiment),
                "adds nothing to its base: whatever wins is trained again",
            )


def _identity(one: Configured, composed: Composed) -> str:
    """The same for jobs that would do the same."""
    kept = {name: value for name, value in composed.resolved.items() if f"{name}." not in SEED_KEYS}
    return json.dumps([one.job.verb, one.job.flags, kept | {"seed": one.job.seed}], sort_keys=True)


def _check_names(configured: Sequence[Configured], found: Findings) -> None:
    """Runs of one name are taken for seeds of one experiment."""
    owners: dict[str, str] = {}
    for one in configured:
        name = one.job.experiment
        tried = {
            "": one.composed,
            **{f" after failing of {kind}": its for kind, its in one.fallbacks.items()},
        }
        for when, composed in tried.items():
            run = composed.resolved["run"]["name"]
            owner = f"{name}{when}"
            before = owners.setdefault(run, owner)
            if before != owner:
                found.problem(
                    ("experiments", name),
                    f"its runs{when} are named {run}, as those of {before} are; "
                    "runs of one name are taken for seeds of one experiment",
                )


def _check_controlled(
    plan: Plan, first: Mapping[str, Configured], baseline: Configured, found: Findings
) -> None:
    before = flattened(baseline.composed.resolved)
    for name, one in first.items():
        if name == plan.baseline or one.job.is_sweep or one.composed.resolved["data"]["sample"] is not None:
            continue  # a sample is for trying things out, a sweep for choosing: compared with nothing
        things = max((_things(one, base, baseline, before) for base in one.bases or (None,)), key=len)
        if len(things) > 1:
            found.warning(
                ("experiments", name),
                f"differs from the baseline {plan.baseline} in {len(things)} things ({', '.join(things)}): "
                "not a controlled comparison, which of them made a difference will not be known",
            )


def _things(one: Configured, base: str | None, baseline: Configured, before: dict[str, Any]) -> list[str]:
    """What is changed between the baseline and a job, by the words that change it."""
    old = _words(baseline, ())
    start = one.begun[base] if base else None
    new = _words(one, start.words if start else ())
    chosen = {key_of(word): f"the best of {start.base}" for word in start.chosen} if start else {}
    changed = {key for key in {**old, **new} if old.get(key) != new.get(key)}
    after = flattened((one.bases[base] if base else one.composed).resolved)
    kinds_differ = one.job.verb != baseline.job.verb
    things: dict[str, list[str]] = {}
    for key in differing_keys(before, after):
        if kinds_differ and key in _OF_FOLDS:
            continue
        owners = [word for word in changed if key == word or key.startswith(f"{word}.")]
        rest = EXPERIMENT if EXPERIMENT in changed else key
        owner = max(owners, key=len, default=rest)
        things.setdefault(chosen.get(owner, owner), []).append(key)
    bound = [thing for thing, keys in things.items() if len(things) > 1 and not _stands(after, before, keys)]
    together = [" with ".join(bound)] if bound else []
    kind = ["kind"] if kinds_differ else []
    return [*kind, *together, *(thing for thing in things if thing not in bound)]


def _words(one: Configured, base: Sequence[str]) -> dict[str, str]:
    words = last_words([*one.job.common, *base, *one.job.own])
    return {key_of(word): word for word in words}


def _stands(after: Mapping[str, Any], before: Mapping[str, Any], keys: Sequence[str]) -> bool:
    """Whether a configuration is one still with some of its keys taken back."""
    taken_back = {
        key: value
        for key, value in before.items()
        if key in keys or any(own.startswith(f"{key}.") for own in keys)
    }
    document: dict[str, Any] = {}
    for key, value in ({key: its for key, its in after.items() if key not in keys} | taken_back).items():
        *path, last = key.split(".")
        inside = document
        for part in path:
            if not isinstance(inside.get(part), dict):  # null until now
                inside[part] = {}
            inside = inside[part]
        inside[last] = value
    return validated(document, lambda _: "")[0] is not None
