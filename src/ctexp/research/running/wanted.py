"""Which parts of an experiment are to be carried out, and why: what is missing, failed, or has changed."""

from collections.abc import Mapping

from ctexp.research.running.experiment import Start
from ctexp.research.standing.records import Part


def wanted(
    known: Mapping[str, Part], start: Start, only: str | None, rerun_failed: bool, force: bool
) -> dict[str, str]:
    """Why each part is to be carried out; empty text where it is not."""
    found = {}
    for sub, part in known.items():
        why = "" if part.state == "completed" else part.said or part.state
        if start.stub or force:
            why = why or "asked for"
        if rerun_failed and not (part.answer is not None and part.answer.error is not None):
            why = ""
        if only is not None and sub != only:
            why = ""
        found[sub] = why
    return found
