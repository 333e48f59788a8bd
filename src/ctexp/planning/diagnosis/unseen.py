"""A bottleneck that was looked for and not seen: how sure that is, by who looked and at how much."""

from collections.abc import Mapping
from typing import Any

from ctexp.planning.diagnosis.evidence import Evidence
from ctexp.planning.diagnosis.figures import absent
from ctexp.planning.diagnosis.findings import Finding, Kind


def unseen(
    kind: Kind,
    seen: Evidence,
    said: str,
    evidence: Mapping[str, Any],
    refuted_by: str,
    *,
    seeds: int,
    images: int | None = None,
    dissent: int = 0,
) -> Finding:
    """The finding.

    Args:
        kind: of it.
        seen: what was looked at.
        said: what was found instead; see `Finding`.
        evidence: likewise.
        refuted_by: likewise.
        seeds: that were looked at.
        images: that could have shown it; None for all independent ones.
        dissent: trainings that showed it all the same, too few to count.
    """
    confidence, why = absent(seeds, seen.images if images is None else images, dissent)
    return Finding(
        kind,
        "not seen",
        said,
        confidence=confidence,
        why_so_sure=why,
        evidence=evidence,
        cites=seen.cites,
        refuted_by=refuted_by,
    )
