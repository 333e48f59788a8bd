"""The parts of an experiment: the record of each, and what that is worth today."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ctexp.core.errors import DataError
from ctexp.research.basis import changed, today, why_beyond
from ctexp.research.places import Places
from ctexp.research.plan.content import Experiment
from ctexp.research.record import Answer, Basis

State = Literal[
    "completed", "failed", "missing", "damaged", "stub", "out of date", "overridden", "no handler"
]


@dataclass(frozen=True)
class Part:
    """A part of an experiment, as it stands.

    Attributes:
        answer: its record; None where there is none that can be read.
        basis: what an answer would rest on now.
        state: `completed` where it counts; whatever else it is, it does not.
        said: why it does not count, one line; empty where it does.
    """

    sub: str
    answer: Answer | None
    basis: Basis
    state: State
    said: str


def parts(places: Places, data_dir: Path, experiment: Experiment) -> dict[str, Part]:
    """The parts of an experiment by id, in the order of the plan."""
    return {one.id: _part(places, data_dir, experiment, one.id) for one in experiment.subs}


def _part(places: Places, data_dir: Path, experiment: Experiment, sub: str) -> Part:
    file = places.record(experiment.id, sub)
    answer, problem = _read(file, experiment.id, sub)
    basis = today(places.root, data_dir, experiment, sub, answer)
    state, said = worth(answer, basis)
    handler = _shown(places.handler(experiment.id, sub), places.root)
    if problem:
        state, said = "damaged", problem.replace(str(file), _shown(file, places.root))
    elif state == "no handler":
        said = f"{handler} is missing"
    return Part(sub, answer, basis, state, said)


def _read(file: Path, experiment: str, sub: str) -> tuple[Answer | None, str]:
    """A record, and why one that is there cannot be one."""
    if not file.exists():
        return None, ""
    try:
        answer = Answer.read(file)
    except DataError as error:
        first, *more = error.problems
        return None, f"{first}; and {len(more)} more" if more else first
    if (answer.experiment, answer.sub) != (experiment, sub):
        return None, f"{file}: is the record of {answer.experiment}/{answer.sub}"
    return answer, ""


def worth(answer: Answer | None, basis: Basis) -> tuple[State, str]:
    """The state of a part with this record, and why it does not count.

    Args:
        answer: None where there is none.
        basis: what an answer would rest on now.
    """
    if basis.handler is None:
        return "no handler", ""
    if answer is None:
        return "missing", "not run yet"
    if answer.stub:
        return "stub", "its figures are made up"
    if others := changed(answer.basis, basis):
        return "out of date", f"changed since: {', '.join(others)}"
    if answer.error is not None:
        return "failed", f"{answer.error.kind}: {answer.error.message}".splitlines()[0]
    if why := why_beyond(answer.basis.overrides):
        return "overridden", why
    return "completed", ""


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()
