"""Which answers count: completed, real, and resting on what is there today."""

from collections.abc import Mapping
from dataclasses import dataclass

from ctexp.research import basis
from ctexp.research.plan.content import Experiment
from ctexp.research.record import Answer, Basis


@dataclass(frozen=True)
class Answered:
    """The answers to an experiment.

    Attributes:
        counted: by part, in the order of the plan.
        others: why each other part has no answer that counts, one line without its name.
        failed: the parts whose handler failed, as far as that is known of today's handler.
        stubs: the parts with made-up figures.
    """

    counted: Mapping[str, Answer]
    others: Mapping[str, str]
    failed: tuple[str, ...]
    stubs: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether every part is answered; an experiment without parts is not."""
        return bool(self.counted) and not self.others


def answered(
    experiment: Experiment, answers: Mapping[str, Answer | None], today: Mapping[str, Basis]
) -> Answered:
    """Look at the answer of each part.

    Args:
        experiment: as the plan has it.
        answers: by part; None or nothing where there is no record that can be read.
        today: what each part would rest on now; an answer whose part is not in it is out of date.
    """
    counted: dict[str, Answer] = {}
    others: dict[str, str] = {}
    for sub in (one.id for one in experiment.subs):
        answer = answers.get(sub)
        why = _uncounted(experiment.id, sub, answer, today.get(sub))
        if answer is None or why:
            others[sub] = why
        else:
            counted[sub] = answer
    there = {sub: answer for sub, answer in answers.items() if answer is not None and sub in others}
    return Answered(
        counted=counted,
        others=others,
        failed=tuple(
            sub
            for sub, answer in there.items()
            if answer.state == "failed" and not _changed(answer, today.get(sub))
        ),
        stubs=tuple(sub for sub, answer in there.items() if answer.stub),
    )


def _uncounted(experiment: str, sub: str, answer: Answer | None, today: Basis | None) -> str:
    """Why an answer does not count; empty where it does."""
    if answer is None:
        return "not answered yet"
    if (answer.experiment, answer.sub) != (experiment, sub):
        return f"its record is that of {answer.experiment}/{answer.sub}"
    if answer.stub:
        return "made-up figures of a stub run"
    if today is not None and today.handler is None:
        return "its handler is missing"
    if changed := _changed(answer, today):
        return f"out of date: {' and '.join(changed)} changed since"
    if answer.error is not None:
        return f"failed: {answer.error.kind}: {answer.error.message}".splitlines()[0]
    return basis.why_beyond(answer.basis.overrides)


def _changed(answer: Answer, today: Basis | None) -> tuple[str, ...]:
    return ("what it rests on",) if today is None else basis.changed(answer.basis, today)
