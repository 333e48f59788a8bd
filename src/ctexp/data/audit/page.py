"""The page for people: one HTML file with its pictures in it, no scripts, readable offline and on paper."""

from collections.abc import Mapping
from pathlib import Path

from ctexp.core.classes import CLASSES, SPLITS
from ctexp.core.page import jpeg, template
from ctexp.core.wording import many
from ctexp.data.audit.findings import Findings
from ctexp.data.audit.separation import ENOUGH, MOST
from ctexp.data.audit.verdict import verdict
from ctexp.data.audit.wording import area, percent, plain

GROUPS_SHOWN = 200
"""Groups of copies on the page, the ones that need attention first; the others are counted."""

MEMBERS_SHOWN = 12
"""Images of one group on the page."""


def render(findings: Findings, thumbnails: Mapping[str, bytes]) -> str:
    """The page."""
    filters = {"plain": plain, "percent": percent, "area": area, "amount": many}
    statements = verdict(findings)
    return template(Path(__file__).parent, filters).render(
        found=findings,
        statements=statements,
        alarms=list(dict.fromkeys(one.topic for one in statements if one.level == "alarm")),
        classes=CLASSES,
        splits=SPLITS,
        groups=findings.copies[:GROUPS_SHOWN],
        members_shown=MEMBERS_SHOWN,
        most=MOST,
        enough=ENOUGH,
        picture=lambda image_id: jpeg(thumbnails[image_id]),
    )
