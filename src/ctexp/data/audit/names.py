"""Names that a person, a file system or a script may take for one another."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import islice
from pathlib import PurePosixPath

from ctexp.data.audit.findings import Names

_EXAMPLES = 5


def names(image_ids: Iterable[str]) -> Names:
    """Look for file names that stand in several folders, and for ids that are nearly equal."""
    ordered = sorted(image_ids)
    of_folded: dict[str, list[str]] = defaultdict(list)
    for image_id in ordered:
        of_folded[_folded(image_id)].append(image_id)
    stems = Counter(PurePosixPath(image_id).stem for image_id in ordered)
    shared = {stem: places for stem, places in stems.most_common() if places > 1}
    return Names(
        shared_stems=len(shared),
        examples=dict(islice(shared.items(), _EXAMPLES)),
        alike=tuple(tuple(ids) for ids in of_folded.values() if len(ids) > 1),
    )


def _folded(name: str) -> str:
    """The form in which names are equal that only case or the composition of letters tells apart."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
