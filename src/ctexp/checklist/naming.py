"""Whether a run can be found again among a thousand: its name, and what else is said about it."""

import re

from ctexp.checklist.answers import Answer, full, partly
from ctexp.checklist.evidence import Evidence

_SAYS_NOTHING = re.compile(
    r"(run|test|tmp|temp|foo|bar|new|final|debug|try|untitled|exp|experiment)[-_.]?\d*|\d+"
)


def name(of: Evidence) -> Answer:
    """`run.name` says what was tried."""
    own = of.manifest.name
    fix = "run.name=WHAT-IS-TRIED on the next command line, the same for all its seeds"
    if _SAYS_NOTHING.fullmatch(own.lower()):
        return partly(0.0, "its name says nothing", fix, own)
    if own == of.manifest.model.name and not _belongs(of):
        return partly(0.5, "it is called after its network alone", fix, own)
    return full("given", own)


def tags(of: Evidence) -> Answer:
    """Tags, a description or a plan say what it belongs to."""
    if of.manifest.tags:
        return full("tagged", ", ".join(of.manifest.tags))
    if of.manifest.description:
        return full("described")
    if belongs := _belongs(of):
        return full("part of", belongs)
    fix = "'run.tags=[baseline]' or run.description='what is tried' on the next command line"
    return partly(0.0, "no tag, no description, part of no plan", fix)


def _belongs(of: Evidence) -> str | None:
    origin = of.manifest.origin
    return origin.parent or origin.plan or origin.queue
