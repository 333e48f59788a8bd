"""What people wrote in the plan of how far it has come, where records say otherwise: told, and never used."""

import re
from collections.abc import Iterator
from typing import Any

from ctexp.research.standing.standing import Standing, Stands

_MEANT = {
    "met": "met passed pass success successful succeeded validated confirmed achieved satisfied proven",
    "completed": "completed complete done finished answered closed",
    "open": "open todo pending",
    "not started": "not_started not_run planned proposed queued new future draft ready",
    "in progress": "in_progress running started active ongoing wip partial partially_completed",
    "blocked": "blocked waiting on_hold paused deferred",
    "failed": "failed failure fail refuted rejected not_met unmet",
    "pivoted": "pivoted pivot replaced superseded",
}
"""What the words of an experiment's status stand for."""

_STATUS = {word: meant for meant, words in _MEANT.items() for word in words.split()}

_FITS = {
    "met": {"met"},
    "completed": {"completed"},
    "open": {"open", "not started", "in progress", "blocked"},
    "not started": {"not started", "blocked"},
    "in progress": {"in progress", "blocked"},
    "blocked": {"blocked"},
    "failed": {"failed", "not met"},
    "pivoted": {"pivoted"},
}
"""What is computed where such a word is right."""

_GATE = {
    **{word: "open" if meant in ("met", "completed") else "closed" for word, meant in _STATUS.items()},
    **dict.fromkeys(("open", "opened", "unlocked", "cleared", "approved", "go", "true"), "open"),
    **dict.fromkeys(("closed", "locked", "shut", "no_go", "false"), "closed"),
}
"""What the words of a gate's status stand for."""


def disagreements(found: Standing) -> tuple[str, ...]:
    """A line for each status and each number in the plan that is not what records give, with its line."""
    shown = found.plan.shown
    lines: list[tuple[int, str]] = []
    for name, stands in found.experiments.items():
        at = f"{shown}:{stands.experiment.line}: experiments.{name}"
        lines += [(stands.experiment.line, f"{at}.{said}") for said in _of_experiment(stands)]
    for name, its in found.gates.items():
        said, computed = its.gate.said_status, "open" if its.open else "closed"
        if said and _GATE.get(_word(said)) != computed:
            line = f"{shown}:{its.gate.line}: gates.{name}.status: says {said}, computed: {computed}"
            lines.append((its.gate.line, line))
    return tuple(line for _, line in sorted(lines, key=lambda one: one[0]))


def _of_experiment(stands: Stands) -> Iterator[str]:
    said = stands.experiment.said_status
    meant = _STATUS.get(_word(said), "")
    if said and not _FITS.get(meant, set()) & _true_words(stands):
        yield f"status: says {said}, computed: {_computed(stands, meant)}"
    measured = {one.criterion.metric: one.figure for one in stands.assessment.criteria}
    for metric, number in stands.experiment.achieved.items():
        figure = measured.get(metric)
        if metric in measured and number is not None and not _same(number, figure.value if figure else None):
            yield f"achieved.{metric}: says {number}, computed: {figure.said() if figure else 'nothing'}"


def _true_words(stands: Stands) -> set[str]:
    """All that may rightly be said of an experiment."""
    words = {stands.assessment.status.replace("_", " "), stands.state}
    return words | {"completed"} if stands.answered else words


def _computed(stands: Stands, meant: str) -> str:
    status = stands.assessment.status.replace("_", " ")
    if stands.state == "met":
        return "met"
    if meant == "met":
        return f"not met ({stands.state if stands.answered else status})"
    return status


def _word(said: str) -> str:
    return re.sub(r"[^a-z]+", "_", said.lower()).strip("_")


def _same(said: Any, value: float | None) -> bool:
    """Whether a number somebody wrote is the measured one, at as many digits as they wrote."""
    if not isinstance(said, int | float) or isinstance(said, bool):
        return False
    digits = len(repr(said).partition(".")[2]) if isinstance(said, float) else 0
    return value is not None and round(value, digits) == round(said, digits)
