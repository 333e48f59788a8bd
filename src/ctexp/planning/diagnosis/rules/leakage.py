"""Does training see what it is judged on?"""

from ctexp.evaluation.intervals import wilson
from ctexp.planning.diagnosis.figures import interval, share
from ctexp.planning.diagnosis.findings import Finding
from ctexp.planning.study.data import DataFacts

_JUDGED = {"val": "validation", "test": "test"}


def leakage(data: DataFacts | None) -> Finding:
    """Images on both sides, by the audit. It needs no training, and no seed can change it.

    The share is known to the image; the interval is that of the share among images gathered likewise, by
    independent images.
    """
    if data is None or not data.leaks_known:
        return Finding(
            "leakage",
            "unknown",
            "nobody has looked for images that training and validation share: scripts/inv data-audit does",
            cites=(data.source,) if data else (),
        )
    shortcut = f"; {data.shortcut}" if data.shortcut else ""
    found = {split: data.leaks[split] for split in _JUDGED if data.leaks.get(split)}
    if not found:
        return Finding(
            "leakage",
            "not seen",
            f"no validation or test image has a copy in training{shortcut}",
            confidence="high",
            why_so_sure="every image was compared with every other",
            evidence={"leaks": {}, "shortcut": data.shortcut},
            cites=(data.source,),
            refuted_by="an audit that finds copies",
        )
    parts, evidence = [], {}
    for split, leaked in found.items():
        total = max(leaked, sum(data.rows.get(split, {}).values()))
        groups = sum(data.groups.get(split, {}).values()) or total
        bounds = wilson(leaked / total, min(groups, total))
        parts.append(f"{share(leaked, total, bounds)} {_JUDGED[split]} images")
        evidence[split] = {"leaked": leaked, "images": total} | interval(leaked / total, *bounds)
    flattered = "figures on both flatter" if len(parts) > 1 else "figures on them flatter"
    return Finding(
        "leakage",
        "seen",
        f"{' and '.join(parts)} have a copy in training, or nearly one: {flattered}{shortcut}",
        confidence="high",
        why_so_sure="counted on the images themselves; it rests on no training",
        evidence={"leaks": evidence, "shortcut": data.shortcut},
        about=tuple(found),
        cites=(data.source,),
        refuted_by="an audit of the split that finds no copies, as of data.split=clean",
    )
