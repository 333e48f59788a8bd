"""What is known of the images: from the audit where there was one, else from what runs say of their data."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class DataFacts:
    """The images of a study.

    Attributes:
        rows: split -> class -> images.
        groups: likewise, independent images; `rows` where nobody has looked for copies.
        leaks: split -> images of it that training holds too, or nearly; empty where there are none.
        leaks_known: False where no audit of these very images was found and the runs do not say either.
        median_size: width and height of the median image in pixels; None where nobody knows.
        shortcut: a sentence about metadata that tell the class, with its figures; empty where none was found.
        source: where all this comes from, as a person would type it: a file, or a run's id.
    """

    rows: Mapping[str, Mapping[str, int]] = field(hash=False)
    groups: Mapping[str, Mapping[str, int]] = field(hash=False)
    leaks: Mapping[str, int] = field(hash=False)
    leaks_known: bool
    median_size: tuple[int, int] | None
    shortcut: str
    source: str
