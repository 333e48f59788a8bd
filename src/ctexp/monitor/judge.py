"""Every rule, asked of runs and of what the project concludes from them."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ctexp.core.errors import CtexpError
from ctexp.monitor.finding import Finding, Judged, Report, Unknown, gravest_first, told_apart
from ctexp.monitor.neighbours import Neighbours
from ctexp.monitor.rules.answers import dead_columns, dead_outputs, never_answered
from ctexp.monitor.rules.curves import curves, diverged
from ctexp.monitor.rules.fitting import above_training, learned_by_heart, thrown_off, too_good
from ctexp.monitor.rules.leakage import leakage
from ctexp.monitor.rules.relatives import outside_history, same_answers
from ctexp.monitor.rules.seeds import single_seed
from ctexp.monitor.seen import Seen

_SAYS_WHY = {
    "at_chance": {"underfitting", "class_never_predicted", "overfitting"},
    "dead_outputs": {"at_chance"},
}
"""What a finding explains: it is not told beside it."""


def judge(seen: Seen, root: Path, others: Neighbours | None) -> Judged:
    """Ask every rule of a run.

    Args:
        seen: the run.
        root: the project's folder.
        others: what to hold it against; None for the run alone.
    """
    told = list(_asked(seen, root, others))
    first: dict[tuple[Any, ...], Finding] = {}
    for one in told:
        if isinstance(one, Finding):  # two looks may see the same, as losses and gaps do
            key = (one.rule, *told_apart(one))
            if key not in first or first[key].passed:
                first[key] = one
    explained = {rule for one in first.values() if not one.passed for rule in _SAYS_WHY.get(one.rule, ())}
    findings = [one for one in first.values() if one.rule not in explained]
    unknown = tuple(dict.fromkeys(one for one in told if isinstance(one, Unknown)))
    epochs = len(seen.rows)
    return Judged(seen.id, seen.name, seen.state, epochs, gravest_first(findings), unknown)


def report(
    runs: Sequence[str],
    root: Path,
    others: Neighbours,
    *,
    whole: bool,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> Report:
    """Judge runs, and the conclusions that rest on them.

    Args:
        runs: their ids, in the order they are to be told.
        root: the project's folder.
        others: all runs.
        whole: whether every conclusion of the project is asked about, or those alone that rest on `runs`.
        progress: told (step, done, total).
    """
    judged = []
    for done, run in enumerate(runs, start=1):
        judged.append(judge(others.seen(run), root, others))
        progress("runs", done, len(runs))
    notes = [problem for run in runs for problem in others.seen(run).problems]
    project: list[Finding] = []
    try:
        concluded = list(single_seed(root, others))
        project = [one for one in concluded if whole or set(one.runs) & set(runs)]
    except CtexpError as error:
        notes += error.problems
    return Report(tuple(judged), tuple(project), tuple(notes))


def _asked(seen: Seen, root: Path, others: Neighbours | None) -> Iterator[Finding | Unknown]:
    yield from diverged(seen)
    yield from leakage(seen)
    yield from curves(seen)
    yield from thrown_off(seen)
    yield from learned_by_heart(seen)
    yield from above_training(seen)
    yield from too_good(seen)
    yield from dead_outputs(seen)
    yield from never_answered(seen)
    yield from dead_columns(seen, root)
    if others is not None:
        yield from same_answers(seen, others)
        yield from outside_history(seen, others)
