"""The page for people: one HTML file with its pictures in it, no scripts, readable offline and on paper."""

from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

from ctexp.core.classes import CLASSES, NORMAL
from ctexp.core.page import jpeg, template
from ctexp.core.wording import many
from ctexp.data.audit.wording import plain
from ctexp.evaluation.mistakes.cases import Share
from ctexp.evaluation.mistakes.document import Mistakes

SHOWN = 20
"""Images of one list on the page; the document has more."""


def render(found: Mistakes, pictures: Mapping[str, bytes]) -> str:
    """The page.

    Args:
        found: the mistakes.
        pictures: JPEGs by the names that the gallery gives them.
    """
    filters = {"plain": plain, "amount": many, "share": share, "p": p_value}
    return template(Path(__file__).parent, filters).render(
        found=found,
        classes=CLASSES,
        normal=CLASSES[NORMAL],
        shown=SHOWN,
        slices=[(name, list(its)) for name, its in groupby(found.slices, key=lambda one: one.attribute)],
        told=[one for one in found.slices if is_told(one.difference.p_holm)],
        is_told=is_told,
        picture=lambda name: jpeg(pictures[name]),
    )


def share(of: Share) -> str:
    """`52 % (39 to 64)`."""
    if of.value is None or of.low is None or of.high is None:
        return "none"
    value, low, high = (f"{100 * figure:.0f}" for figure in (of.value, of.low, of.high))
    return f"{value} % ({low} to {high})"


def p_value(value: float | None) -> str:
    """`0.03`, `<0.001`; `not tested` for None."""
    if value is None:
        return "not tested"
    return "<0.001" if value < 0.001 else f"{value:.3f}" if value < 0.0995 else f"{value:.2f}"


def is_told(p_holm: float | None) -> bool:
    """Whether a difference is more than chance would give among so many."""
    return p_holm is not None and p_holm < 0.05
