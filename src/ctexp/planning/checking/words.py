"""Overrides that a plan cannot take: said twice, said elsewhere already, or without effect on the night."""

from collections.abc import Iterator, Sequence

from ctexp.planning.checking.findings import Findings
from ctexp.planning.plan.document import Plan
from ctexp.planning.plan.jobs import key_of
from ctexp.planning.plan.load import Place

_ELSEWHERE = {
    "seed": "seeds are given by `seeds`, of the plan or of the experiment",
}
_SHARED = {"run.name": "all experiments would be called the same; give it to one of them, or leave it out"}
_NOT_ANEW = {"run.name": "what is tried after a failure is named by it already; leave it out"}


def check_words(plan: Plan, found: Findings) -> None:
    """Look at each list of overrides by itself; whether they compose is seen later."""
    _check_list(plan.common, ("common",), _ELSEWHERE | _SHARED, found)
    for name, experiment in plan.experiments.items():
        here = ("experiments", name)
        _check_list(experiment.overrides, (*here, "overrides"), _ELSEWHERE, found)
        for kind, words in experiment.fallback.items():
            _check_list(words, (*here, "fallback", kind), _ELSEWHERE | _NOT_ANEW, found)
        if experiment.kind == "cross-validate" and experiment.shorten:
            found.problem((*here, "shorten"), "a cross-validation has no end that could come earlier")


def _check_list(words: Sequence[str], place: Place, refused: dict[str, str], found: Findings) -> None:
    first: dict[str, int] = {}
    for index, word in enumerate(words):
        key = key_of(word)
        here = (*place, index)
        if key in refused:
            found.problem(here, f"{word}: {refused[key]}")
        if key in first:
            found.problem(here, f"{key}: set twice, by {words[first[key]]} and {word}; keep one")
        first.setdefault(key, index)


def words_of(plan: Plan, experiment: str, kind: str | None, base: str | None) -> Iterator[tuple[Place, str]]:
    """Every word of a job with its place, the strongest first.

    Args:
        plan: the plan.
        experiment: the job's.
        kind: the failure after which it is tried; None for at first.
        base: the experiment whose overrides it begins with; None for none.
    """
    lists: list[tuple[Place, Sequence[str]]] = []
    for name, instead in plan.experiments[experiment].fallback.items():
        if name == kind:
            lists.append((("experiments", experiment, "fallback", kind), instead))
    for owner in (experiment, base):
        if owner is not None:
            lists.append((("experiments", owner, "overrides"), plan.experiments[owner].overrides))
    lists.append((("common",), plan.common))
    for place, words in lists:
        for index, word in enumerate(words):
            yield (*place, index), word
