"""A bottleneck that was looked for and not seen, how sure that is, and one of which nobody can tell."""

from collections.abc import Mapping
from typing import Any

from ctexp.core.wording import many
from ctexp.planning.diagnosis.evidence import Evidence
from ctexp.planning.diagnosis.findings import Confidence, Finding, Kind

_FEW_IMAGES = 100
"""With fewer independent images much is overlooked: a share's interval reaches a tenth to either side."""


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


def unknown(kind: Kind, seen: Evidence, said: str, evidence: Mapping[str, Any] | None = None) -> Finding:
    """What the records do not let anybody tell; `said` says what is missing."""
    return Finding(kind, "unknown", said, evidence=evidence or {}, cites=seen.cites)


def absent(seeds: int, images: int, dissent: int = 0) -> tuple[Confidence, str]:
    """How sure it is that something is not there which so many seeds and independent images did not show."""
    if dissent:
        return "low", f"{many(dissent, 'training')} showed it"
    levels: tuple[Confidence, ...] = ("low", "moderate", "high")
    level = min(seeds, 3) - 1
    said = f"{many(seeds, 'seed')}, judged on {many(images, 'independent image')}"
    return (levels[max(0, level - 1)], f"{said} only") if images < _FEW_IMAGES else (levels[level], said)
