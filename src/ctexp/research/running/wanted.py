"""Which parts of an experiment are to be carried out, and why: what is missing, failed, or has changed."""

from collections.abc import Mapping
from dataclasses import dataclass

from ctexp.core.errors import UsageError
from ctexp.core.names import did_you_mean
from ctexp.research.parts import Part


@dataclass(frozen=True)
class Asked:
    """What of an experiment was asked for.

    Attributes:
        only: one part alone; None for all.
        failed: only what has failed.
        again: also what is done and up to date.
        overrides: of every training; an answer that was found with others is out of date.
    """

    only: str | None = None
    failed: bool = False
    again: bool = False
    overrides: tuple[str, ...] = ()


def wanted(experiment: str, known: Mapping[str, Part], asked: Asked) -> dict[str, str]:
    """The parts that are asked for, in the order of the plan, each with why it is to be carried out.

    The why is empty where a part is kept as it is: completed, and up to date.

    Raises:
        UsageError: there is no such part.
    """
    if asked.only is not None and asked.only not in known:
        raise UsageError(
            f"--only: {experiment} has no part {asked.only!r}; {did_you_mean(asked.only, known)}".rstrip("; ")
        )
    return {
        sub: _why(part, asked)
        for sub, part in known.items()
        if asked.only in (None, sub) and (not asked.failed or has_failed(part))
    }


def has_failed(part: Part) -> bool:
    """Whether its last answer was a failure, also where its handler was changed since."""
    return part.answer is not None and part.answer.error is not None


def _why(part: Part, asked: Asked) -> str:
    if part.state == "failed":
        return f"it had failed: {part.said}"
    if part.state not in ("completed", "overridden"):
        return part.said or part.state
    if part.answer is not None and part.answer.basis.overrides != asked.overrides:
        return part.said or "asked for with other overrides"
    return "asked for again" if asked.again else ""
