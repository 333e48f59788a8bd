"""Does the network see the images too small?"""

from collections.abc import Mapping
from typing import Any

from ctexp.planning.diagnosis.evidence import Evidence
from ctexp.planning.diagnosis.figures import difference, interval, number
from ctexp.planning.diagnosis.findings import Finding

_SHRUNK = 1.5
"""Images shrunk by less lose little that a screenshot of eight bits held."""
_GOOD = 0.95
"""Where accuracy may be this high nothing speaks for details that are missing."""
_WITH_SIZE = ("data.image_size", "data.batch_size", "data.eval_batch_size", "trainer.accumulate_grad_batches")
"""Settings that go along with the size, as memory asks for."""


def resolution(seen: Evidence) -> Finding:
    """By a comparison of two sizes where there is one; else by how far images shrink, and never surely."""
    size = seen.incumbent.settings.get("data.image_size")
    tried = _tried(seen)
    if tried is not None:
        return tried
    median = seen.data.median_size if seen.data else None
    if not median or not isinstance(size, int):
        return Finding("resolution", "unknown", "how large the images are is not known: inv data-audit tells")
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


def _tried(seen: Evidence) -> Finding | None:
    """What recipes showed that differ from the incumbent by the size of the images; None without such."""
    size = seen.incumbent.settings.get("data.image_size")
    if not isinstance(size, int):
        return None
    like = _without_size(seen.incumbent.settings)
    sizes = {
        one.title: one.settings["data.image_size"]
        for one in seen.recipes
        if _without_size(one.settings) == like
    }
    found = []
    for one in seen.differences:
        other = sizes.get(one.after, size)
        if other == size or one.seed_source == "assumed":
            continue
        if one.difference is not None and one.low is not None and one.high is not None:
            up = 1 if other > size else -1  # what the larger of the two sizes gains
            ends = sorted((up * one.low, up * one.high))
            found.append((up * one.difference, ends[0], ends[1], other, one.cites))
    if not found:
        return None
    gain, low, high, other, cites = max(found)
    larger, smaller = max(size, other), min(size, other)
    helped, ruled_out = low > 0, high < seen.settings.worthwhile
    said = f"{larger} pixels instead of {smaller} are worth {difference(gain, low, high)}"
    evidence: dict[str, Any] = {"sizes": [smaller, larger], "gain": interval(gain, low, high)}
    if helped and other < size:
        said += ", and the larger size is in use"
    if not (helped or ruled_out):
        return Finding(
            "resolution", "unknown", f"{said}, which decides nothing", evidence=evidence, cites=cites
        )
    return Finding(
        "resolution",
        "seen" if helped else "not seen",
        said,
        confidence="moderate",
        why_so_sure="two sizes were compared, with several seeds",
        evidence=evidence,
        cites=cites,
        refuted_by="more seeds of both sizes that show the contrary",
    )


def _without_size(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key not in _WITH_SIZE}
