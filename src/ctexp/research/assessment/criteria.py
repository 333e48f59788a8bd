"""One metric against its thresholds, by its whole interval and never by its point alone."""

from collections.abc import Mapping
from typing import NamedTuple

from ctexp.research.assessment.content import Judged, Verdict
from ctexp.research.figures import Compared, Figure
from ctexp.research.plan.content import Criterion
from ctexp.research.record import Answer

_REVIEW = "recommend review"


class Found(NamedTuple):
    """A metric among the answers.

    Attributes:
        figure: None where it is missing; `why` says why then.
        sub: whose it is.
    """

    figure: Figure | None
    sub: str
    why: str


def judge(criterion: Criterion, answers: Mapping[str, Answer]) -> Judged:
    """Hold a criterion against the answers that count, by part."""
    found = find(criterion.metric, answers)
    if found.figure is None or found.figure.value is None:
        why = found.why or "undefined: not met"
        return Judged(criterion, "missing", found.figure, found.sub, f"{criterion.metric}: {why}", why)
    verdict, why = _verdict(criterion, found.figure, found.figure.value)
    said = f"{criterion.metric} {found.figure.said()}: {why}"
    return Judged(criterion, verdict, found.figure, found.sub, said, why)


def means(metric: str, function: str, name: str) -> bool:
    """Whether a criterion's metric is what a handler calls so, with its function before it or not."""
    return metric in (name, f"{function}/{name}") or name == f"{function}/{metric}"


def find(metric: str, answers: Mapping[str, Answer]) -> Found:
    """The one figure of a name; more than one, or one in an answer that does not count, is none.

    Args:
        metric: as the handler calls it, or with the handler's own name before it, `e_base/macro_f1`.
        answers: where to look, by part.
    """
    hits = [
        (sub, figure)
        for sub, answer in answers.items()
        for name, figure in answer.metrics.items()
        if means(metric, answer.function, name)
    ]
    if len(hits) == 1:
        [(sub, figure)] = hits
        return Found(figure, sub, "")
    if hits:
        subs = ", ".join(dict.fromkeys(sub for sub, _ in hits))
        names = " or ".join(f"{answers[sub].function}/{metric}" for sub, _ in hits)
        return Found(None, "", f"told more than once, by {subs}; the plan has to say {names}: not met")
    return Found(None, "", "no answer that counts tells it: not met")


def _verdict(criterion: Criterion, figure: Figure, value: float) -> tuple[Verdict, str]:
    """The verdict and why, for a figure that is defined.

    Everything is turned so that larger is better. Without an interval the point says what it looks like and
    decides nothing.
    """
    sign = 1.0 if criterion.direction == "higher" else -1.0
    beats, misses = ("at least", "below") if sign > 0 else ("at most", "above")
    target = f"the target {criterion.target:g}"
    name, failure = _thresholds(criterion)[-1]  # the least demanding that is given
    if figure.counted:
        low = high = sign * value
    elif figure.low is None or figure.high is None:
        side = "beyond" if sign * value >= sign * criterion.target else "short of"
        return "borderline", f"{side} {target}, but it has no interval: {_REVIEW}"
    else:
        low, high = sorted((sign * figure.low, sign * figure.high))
    whole = "" if figure.counted else "the whole interval is "
    open_still = _undecided(figure)
    if low >= sign * criterion.target:
        claims = sign * criterion.target >= 0.0  # that there is a difference, and not only that it is no loss
        return ("borderline", open_still) if claims and open_still else ("met", f"{whole}{beats} {target}")
    if high < sign * failure:
        claims = sign * failure <= 0.0
        conclusion = f"{whole}{misses} {name} {failure:g}"
        return ("borderline", open_still) if claims and open_still else ("failed", conclusion)
    crossed: dict[float, str] = {}
    for said, threshold in _thresholds(criterion):
        if low < sign * threshold <= high:
            crossed.setdefault(threshold, f"{said} {threshold:g}")
    if crossed:
        return "borderline", f"its interval crosses {' and '.join(crossed.values())}: {_REVIEW}"
    return "borderline", f"short of {target}, {beats} {name} {failure:g}: {_REVIEW}"


def _undecided(figure: Figure) -> str:
    """Why no difference may be claimed of a figure; empty where it rests on no comparison left undecided.

    Its interval is of one metric alone, its verdict is corrected for all that were compared with it.
    """
    sources = [part.source for part in figure.whole()]
    families = [one.family for one in sources if isinstance(one, Compared) and one.verdict == "undecided"]
    if not families:
        return ""
    number = max(map(len, families))
    if number == 1:
        return f"undecided by the test of the comparison: {_REVIEW}"
    return f"undecided after Holm's correction over {number} metrics: {_REVIEW}"


def _thresholds(criterion: Criterion) -> list[tuple[str, float]]:
    """Those that are given, the most demanding first."""
    given = (
        ("the target", criterion.target),
        ("the acceptable", criterion.acceptable),
        ("the failure threshold", criterion.failure),
    )
    return [(name, value) for name, value in given if value is not None]
