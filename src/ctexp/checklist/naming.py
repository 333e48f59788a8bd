"""Whether a run can be found again among a thousand: its name, and what else is said about it."""

import re

from ctexp.checklist.evidence import Evidence
from ctexp.checklist.points import Mark, full, partly

_SAYS_NOTHING = re.compile(
    r"(run|test|tmp|temp|foo|bar|new|final|debug|try|untitled|exp|experiment)[-_.]?\d*|\d+"
)


def name(of: Evidence) -> Mark:
    """`run.name` says what was tried."""
    own = of.manifest.name
    fix = "run.name=WHAT-IS-TRIED on the next command line, the same for all its seeds"
    if _SAYS_NOTHING.fullmatch(own.lower()):
        return partly("name", 0.0, "its name says nothing", fix, own)
    if own == of.manifest.model.name and not _belongs(of):
        return partly("name", 0.5, "it is called after its network alone", fix, own)
    return full("name", "given", own)


def tags(of: Evidence) -> Mark:
    """Tags, a description or a plan say what it belongs to."""
    if of.manifest.tags:
        return full("tags", "tagged", ", ".join(of.manifest.tags))
    if of.manifest.description:
        return full("tags", "described")
    if belongs := _belongs(of):
        return full("tags", "part of", belongs)
    fix = "'run.tags=[baseline]' or run.description='what is tried' on the next command line"
    return partly("tags", 0.0, "no tag, no description, part of no plan", fix)


def _belongs(of: Evidence) -> str | None:
    origin = of.manifest.origin
    return origin.parent or origin.plan or origin.queue
