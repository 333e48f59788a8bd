"""What the record says of images on both sides."""

from collections.abc import Iterator

from ctexp.monitor.finding import Finding, Unknown
from ctexp.monitor.seen import Seen


def leakage(seen: Seen) -> Iterator[Finding | Unknown]:
    """Validation or test images that are copies of training images, as they were counted before training.

    Copies in validation make every figure of the run flatter, and choose its best epoch: an alarm. Those in
    test flatter a look that may never be taken: a note.
    """
    if seen.manifest is None:
        return
    data = seen.manifest.dataset
    if data.leaks is None:
        yield Unknown("leakage", "its record is of before leaks were counted")
        return
    of_val = [line for line in data.leaks if " val images are " in line]
    for line in data.leaks:
        yield Finding(
            "leakage",
            "alarm" if line in of_val else "note",
            (seen.id,),
            line,
            "train on a split without copies: data.split=clean",
            {"of": "val" if line in of_val else "test", "split": data.split},
            "high",
        )
