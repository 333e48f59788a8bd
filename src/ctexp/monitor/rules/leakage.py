"""What the record says of images on both sides."""

from collections.abc import Iterator

from ctexp.monitor.finding import Finding, Severity, Unknown
from ctexp.monitor.seen import Seen

_CLEAN = "train on a split without copies: data.split=clean"
_OTHERS = (
    "judge such features on images that had no part in choosing them: features=all_features, or another split"
)


def leakage(seen: Seen) -> Iterator[Finding | Unknown]:
    """What training saw of the images it is judged on, as it was counted before training.

    Copies in validation make every figure of the run flatter, and choose its best epoch: an alarm. Features
    that these very images chose flatter figures on them: a warning. Copies in test flatter a look that may
    never be taken: a note.
    """
    if seen.manifest is None:
        return
    data = seen.manifest.dataset
    if data.leaks is None:
        yield Unknown("leakage", "its record is of before leaks were counted")
        return
    for line in data.leaks:
        of, severity = _judged(line)
        advice = _OTHERS if of == "features" else _CLEAN
        yield Finding("leakage", severity, (seen.id,), line, advice, {"of": of, "split": data.split}, "high")


def _judged(line: str) -> tuple[str, Severity]:
    """What a line speaks of, and how much that weighs; see `data.caveats.leaking` for its words."""
    if " val images are " in line:
        return "val", "alarm"
    return ("test", "note") if " test images are " in line else ("features", "warning")
