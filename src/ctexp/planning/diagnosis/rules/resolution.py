"""Does the network see the images too small?"""

from typing import Any

from ctexp.planning.diagnosis.evidence import Evidence
from ctexp.planning.diagnosis.figures import difference, interval, number
from ctexp.planning.diagnosis.findings import Finding

_SHRUNK = 1.5
"""Images shrunk by less lose little that a screenshot of eight bits held."""
_GOOD = 0.95
"""Where accuracy may be this high nothing speaks for details that are missing."""


def resolution(seen: Evidence) -> Finding:
    """By a comparison of two sizes where there is one; else by how far images shrink, and never surely."""
    size = seen.incumbent.settings.get("data.image_size")
    tried = _tried(seen, size)
    if tried is not None:
        return tried
    median = seen.data.median_size if seen.data else None
    if not median or not isinstance(size, int):
        return Finding(
            "resolution", "unknown", "the size of the images is not known: scripts/inv data-audit tells"
        )
    ratio = max(median) / size
    entry = seen.summary["metrics"]["val/accuracy"]
    accuracy = number(entry["value"], entry["low"], entry["high"])
    said = f"the median image, {median[0]}x{median[1]} pixels, is shown to the network at {size}"
    evidence = {"median_size": list(median), "image_size": size, "shrunk": round(ratio, 3)}
    shrunk, wrong = ratio >= _SHRUNK, entry["high"] is not None and entry["high"] < _GOOD
    if shrunk and wrong:
        return Finding(
            "resolution",
            "seen",
            f"{said}, {ratio:.1f} times smaller, and accuracy is {accuracy}",
            confidence="low",
            why_so_sure="no two sizes were compared; whether what is lost matters nobody has seen",
            evidence=evidence,
            cites=seen.cites,
            refuted_by="a larger data.image_size that is no better",
        )
    return Finding(
        "resolution",
        "not seen",
        f"{said}, and accuracy is {accuracy}",
        confidence="low" if shrunk else "moderate",
        why_so_sure="no two sizes were compared",
        evidence=evidence,
        cites=seen.cites,
        refuted_by="a larger data.image_size that is better",
    )


def _tried(seen: Evidence, size: Any) -> Finding | None:
    """What two sizes showed, on the incumbent if they were compared there, else elsewhere; None without such.

    Of several pairs the one speaks whose larger size gained most.
    """
    known = [(one.measured, one) for one in seen.of_sizes if one.measured]
    title = seen.incumbent.title
    own = [its for its in known if title in (its[1].before, its[1].after)]
    if not known:
        return None
    (gain, low, high), pair = max(own or known, key=lambda its: its[0][0])
    sizes = {one.title: one.settings["data.image_size"] for one in seen.recipes}
    smaller, larger = sizes[pair.before], sizes[pair.after]
    helped, ruled_out = low > 0, high < seen.settings.worthwhile
    said = f"{larger} pixels instead of {smaller} are worth {difference(gain, low, high)}"
    said += "" if own else f" ({pair.after} against {pair.before})"
    evidence: dict[str, Any] = {"sizes": [smaller, larger], "gain": interval(gain, low, high)}
    if not (helped or ruled_out):
        undecided = f"{said}, which decides nothing"
        return Finding("resolution", "unknown", undecided, evidence=evidence, cites=pair.cites)
    if helped and isinstance(size, int) and size >= larger:
        said += f", and {size} are in use"
    return Finding(
        "resolution",
        "seen" if helped else "not seen",
        said,
        confidence="moderate" if own else "low",
        why_so_sure="two sizes were compared, with several seeds"
        + ("" if own else f", on another recipe than {title}"),
        evidence=evidence,
        cites=pair.cites,
        refuted_by="more seeds of both sizes that show the contrary",
    )
