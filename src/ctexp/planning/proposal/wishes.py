"""From what the user typed to what he wants: every slip told, with the nearest thing that would do."""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import get_args

from ctexp.core import metric_names
from ctexp.core.errors import UsageError
from ctexp.core.names import check_id, did_you_mean
from ctexp.planning.moves.move import Category
from ctexp.planning.plan import window as windows
from ctexp.planning.plan.document import MOST_OVERRIDE, MOST_TEXT, Op, Threshold
from ctexp.planning.plan.jobs import key_of
from ctexp.planning.proposal.documents import Wishes

CATEGORIES: tuple[Category, ...] = get_args(Category)

_LONGEST = 24
"""Characters of a plan's name: those of its runs add the experiment's, and a run's name has 64 at most."""

_TAKEN = ("latest", "baseline")
"""Words for trainings, as `study.meant` takes them."""

_METRIC = re.compile(r"(?:(?:train|val|test)[/_])?[a-z0-9_]+")
_CONDITION = re.compile(r"(?P<metric>[A-Za-z0-9_/]+)\s*(?P<op>>=|<=|=>|=<|>|<|=)\s*(?P<value>\S+)")


def read(
    name: str,
    *,
    window: str = "8h",
    focus: Sequence[str] = (),
    goal: str = "",
    start: str | None = None,
    overrides: Sequence[str] = (),
) -> Wishes:
    """What is wanted.

    Args:
        name: of the plan.
        window: see `plan.window.parse`.
        focus: names of categories.
        goal: a metric (`val/ece`), a condition on one (`val/accuracy>=0.9`), or words.
        start: the run, name or cross-validation to begin with.
        overrides: as typed; whether they compose is seen later.

    Raises:
        UsageError: everything that is wrong, a line each.
    """
    errors: list[UsageError] = []
    checks: list[Callable[[], object]] = [
        partial(_check_name, name),
        partial(_check_window, window),
        *(partial(_check_category, category) for category in focus),
        partial(_check_goal, goal),
        partial(_goal, goal),
        *(partial(_check_override, word) for word in overrides),
    ]
    for check in checks:
        try:
            check()
        except UsageError as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise UsageError([_with_hint(error) for error in errors])
    metric, target = _goal(goal)
    chosen = tuple(one for one in CATEGORIES if one in focus)
    return Wishes(name, window, chosen, goal, metric, target, start, tuple(overrides))


def _check_name(name: str) -> None:
    check_id(name, "the plan's name")
    if name in _TAKEN:
        raise UsageError(f"{name}: the word means something else wherever a plan's name can stand")
    if len(name) > _LONGEST:
        raise UsageError(f"{name}: {len(name)} characters; its runs' names have room for {_LONGEST} of them")


def _check_window(window: str) -> None:
    try:
        windows.parse(window)
    except UsageError as error:
        raise UsageError([f"--window: {problem}" for problem in error.problems], error.hint) from error


def _with_hint(error: UsageError) -> str:
    """One of several mistakes, with what to do about it."""
    said = "; ".join(error.problems)
    return f"{said} ({error.hint})" if error.hint else said


def _check_goal(goal: str) -> None:
    if len(goal) > MOST_TEXT:
        raise UsageError(f"--goal: {len(goal):,} characters; a plan has room for {MOST_TEXT:,}")
    if goal != goal.encode(errors="ignore").decode():
        raise UsageError("--goal: holds bytes that are not UTF-8")


def _check_override(word: str) -> None:
    if len(word) > MOST_OVERRIDE:
        raise UsageError(f"{word[:60]}...: {len(word):,} characters; a plan has room for {MOST_OVERRIDE:,}")
    if key_of(word) == "data.sample" and not word.endswith("=null"):
        raise UsageError(f"{word}: nothing can be concluded from a sample", "leave it out")


def _check_category(category: str) -> None:
    if category not in CATEGORIES:
        begun = [one for one in CATEGORIES if category and one.startswith(category)]
        near = f"did you mean {begun[0]!r}?" if begun else did_you_mean(category, CATEGORIES)
        raise UsageError(f"--focus: there is no category {category!r}", near)


def _goal(said: str) -> tuple[str | None, Threshold | None]:
    """The metric and the target that a goal names, if it names any."""
    text = said.strip()
    if match := _CONDITION.fullmatch(text):
        metric = _validation(match["metric"])
        return metric, Threshold(metric=metric, op=_op(match["op"]), value=_value(text, match["value"]))
    if _METRIC.fullmatch(text) and _means_a_metric(text):
        return _validation(text), None
    return None, None


def _means_a_metric(word: str) -> bool:
    """Whether one word is a metric, or meant to be one: a split, a name, or something near a name."""
    if word.startswith(("train/", "val/", "test/", "train_", "val_", "test_")):
        return True
    return did_you_mean(word, metric_names.METRICS).startswith("did")


def _validation(word: str) -> str:
    """`val/ece` of `val_ece`, `val/ece` or `ece`.

    Raises:
        UsageError: it is no metric, or not one of validation.
    """
    split = next((one for one in ("train", "val", "test") if word.startswith((f"{one}/", f"{one}_"))), None)
    try:
        metric = metric_names.canonical(word if split else f"val/{word}")
    except UsageError as error:
        raise UsageError([f"--goal: {problem}" for problem in error.problems], error.hint) from error
    if metric.startswith("test/"):
        raise UsageError(
            f"--goal: {word}: the test split is sealed; nothing is chosen by it", f"name val/{metric[5:]}"
        )
    if metric.startswith("train/"):
        raise UsageError(f"--goal: {word}: nothing is judged by training images", f"name val/{metric[6:]}")
    return metric


def _op(said: str) -> Op:
    for op in get_args(Op):
        if op == said:
            return op  # type: ignore[no-any-return]
    raise UsageError(f"--goal: {said} is no comparison", did_you_mean(said, get_args(Op)))


def _value(said: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if value - value != 0:
        raise UsageError(f"--goal: {said}: {text} is no number", "write for example val/accuracy>=0.9")
    return value


def free_name(taken: Iterable[str]) -> str:
    """`night-N` with the smallest N above those that are taken."""
    numbers = [int(match[1]) for one in taken if (match := re.fullmatch(r"night-([0-9]{1,9})", one))]
    return f"night-{max(numbers, default=0) + 1}"
