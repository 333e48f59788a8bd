"""What a stub run is for: whether the names that the parts give are those that criteria ask for."""

from collections.abc import Iterator, Mapping

from ctexp.core.names import did_you_mean
from ctexp.research.assessment.criteria import find, means
from ctexp.research.plan.content import Experiment
from ctexp.research.record import Answer


def unwired(experiment: Experiment, answers: Mapping[str, Answer]) -> Iterator[str]:
    """A line for each criterion that no part's STUB gives, and for each metric there that no criterion names.

    Args:
        experiment: as the plan has it; without criteria everything is as it should be.
        answers: of a stub run, by part; nothing is said before all parts have one.
    """
    if answers.keys() != {sub.id for sub in experiment.subs}:
        return
    given = [(sub, name) for sub, answer in answers.items() for name in answer.metrics]
    named: set[tuple[str, str]] = set()
    missing = []
    for metric in experiment.criteria:
        meant = {(sub, name) for sub, name in given if means(metric, answers[sub].function, name)}
        named |= meant
        if not meant:
            missing.append(metric)
            near = did_you_mean(metric, (name for _, name in given))
            yield f"{experiment.id}: criterion {metric}: no part's STUB gives it; {near}".rstrip("; ")
        elif why := find(metric, answers).why:
            yield f"{experiment.id}: criterion {metric}: {why.removesuffix(': not met')}"
    for sub, name in given if experiment.criteria else ():
        if (sub, name) not in named:
            near = did_you_mean(name, missing)
            yield f"{experiment.id}/{sub}: STUB gives {name}, which no criterion names; {near}".rstrip("; ")
