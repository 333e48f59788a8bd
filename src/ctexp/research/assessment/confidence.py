"""How far an experiment's figures carry, by rule, each with its reason.

low        a figure that decides has no interval, rests on a single training, or cannot be recomputed
moderate   two trainings a side, an interval about seeds alone, counts of a handler, uncommitted
           changes, criteria that changed after figures had been seen, synthetic images,
           leaks and other caveats of the data and of the trainings
high       otherwise
"""

from collections.abc import Iterable, Mapping, Sequence

from ctexp.research.assessment.content import Confidence, Judged
from ctexp.research.figures import Cited, Compared, Derived, Figure, Reported
from ctexp.research.record import Answer

_ENOUGH = 3
"""Trainings a side: with two, an interval over seeds reaches nine standard deviations to either side."""


def confidence(
    criteria: Sequence[Judged], answers: Mapping[str, Answer]
) -> tuple[Confidence, tuple[str, ...]]:
    """The confidence and what it rests on, a sentence each.

    Args:
        criteria: of the experiment; where it has none, all metrics of its answers count.
        answers: those that count, by part.
    """
    deciding = _deciding(criteria, answers)
    grave = list(_about_figures(deciding))
    slight = [
        *_about_seeds(deciding),
        *_about_counts(deciding),
        *_about_source(answers),
        *_about_data(answers),
    ]
    if not deciding:
        grave.append("nothing that decides has been measured")
    if grave:
        return "low", (*grave, *slight)
    if slight:
        return "moderate", tuple(slight)
    return "high", ("what decides has intervals, rests on three or more trainings, and can be recomputed",)


def trainings(figure: Figure) -> int | None:
    """How many trainings a figure rests on; of a difference, on the side with fewer; None where unknown."""
    source = figure.source
    if isinstance(source, Cited):
        return 1 if source.run else None
    if isinstance(source, Compared):
        return min(len(set(source.baseline)), len(set(source.candidate)))
    if isinstance(source, Reported):
        return None
    known = [number for part in source.of if (number := trainings(part)) is not None]
    if source.formula in ("mean", "sd"):
        runs = {part.source.run for part in figure.whole() if isinstance(part.source, Cited)}
        return len(runs) if all(isinstance(part.source, Cited) for part in source.of) else sum(known) or None
    return min(known, default=None)


def _deciding(criteria: Sequence[Judged], answers: Mapping[str, Answer]) -> dict[str, Figure]:
    if criteria:
        return {one.criterion.metric: one.figure for one in criteria if one.figure is not None}
    return {
        f"{answer.function}/{name}": figure
        for answer in answers.values()
        for name, figure in answer.metrics.items()
    }


def _about_figures(deciding: dict[str, Figure]) -> Iterable[str]:
    for name, figure in deciding.items():
        if figure.counted or figure.value is None:
            continue
        if figure.low is None or figure.high is None:
            yield f"{name} has no interval"
        if trainings(figure) == 1:
            yield f"{name} rests on one training: another seed may give another number"
        if any(isinstance(part.source, Reported) and not part.counted for part in figure.whole()):
            yield f"{name} was reported by its handler and cannot be recomputed"


def _about_seeds(deciding: dict[str, Figure]) -> Iterable[str]:
    few = [
        name
        for name, figure in deciding.items()
        if not figure.exact and 1 < (trainings(figure) or 1) < _ENOUGH
    ]
    if few:
        yield f"{', '.join(few)}: two trainings a side say little about their spread"
    alone = [name for name, figure in deciding.items() if spread_over(figure) == "seeds"]
    if alone:
        yield f"{', '.join(alone)}: the interval is about training again, not about other images"


def spread_over(figure: Figure) -> str:
    """What the interval of a figure is about: seeds, images, or both; empty where nobody here knows."""
    source = figure.source
    if figure.low is None or isinstance(source, Reported):
        return ""
    if isinstance(source, Compared):
        return "images" if trainings(figure) == 1 else "images and seeds"
    if isinstance(source, Derived):
        return "seeds" if source.formula in ("mean", "sd", "difference") else "what it was derived from"
    return "images" if source.run else ""


def _about_counts(deciding: dict[str, Figure]) -> Iterable[str]:
    for name, figure in deciding.items():
        if any(isinstance(part.source, Reported) and part.counted for part in figure.whole()):
            yield f"{name} was counted by its handler and cannot be recomputed"


def _about_source(answers: Mapping[str, Answer]) -> Iterable[str]:
    dirty = [sub for sub, answer in answers.items() if answer.git.dirty]
    unknown = [sub for sub, answer in answers.items() if answer.git.dirty is None]
    for sub, answer in answers.items():
        if answer.moved:
            yield f"{sub}: {answer.moved}"
    if dirty:
        yield f"{', '.join(dirty)}: made with uncommitted changes"
    if unknown:
        yield f"{', '.join(unknown)}: the source is unknown"


def _about_data(answers: Mapping[str, Answer]) -> Iterable[str]:
    yield from dict.fromkeys(line for answer in answers.values() for line in answer.caveats)
