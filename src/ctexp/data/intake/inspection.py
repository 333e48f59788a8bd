"""One look at each image of an import: what it is, or why it cannot be used."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import partial

from ctexp.core.errors import DataError
from ctexp.core.files import sha256_file
from ctexp.core.wording import some
from ctexp.data.duplicates.signature import Signature, sign
from ctexp.data.formats.picture import WINDOW_HINT
from ctexp.data.images import ImageFacts, facts_of, picture_of, read_content
from ctexp.data.intake.layout import FoundImage
from ctexp.data.intake.listed import SHOWN
from ctexp.data.parallel import each


@dataclass(frozen=True, eq=False)
class Seen:
    """An image that can be imported.

    Attributes:
        image: where it is.
        excluded: left out of every split, by the user's decision.
        facts: what is recorded of it.
        signature: to compare it with the others; None of an excluded file that cannot be decoded.
        unit: what the values measure that a window made grey; empty where none did.
        tags: what the file says of patient and scan.
        synthetic: whether the file says that a program drew it.
    """

    image: FoundImage
    excluded: bool
    facts: ImageFacts
    signature: Signature | None
    unit: str
    tags: Mapping[str, str]
    synthetic: bool = False


def look_at(
    images: Sequence[FoundImage],
    window: str,
    excluded: Set[str],
    progress: Callable[[int, int], None] | None = None,
) -> tuple[list[Seen], list[DataError]]:
    """Decode every image.

    Args:
        images: which.
        window: a name or `LEVEL,WIDTH`, for values of more than 8 bits; empty for none.
        excluded: the ids of images that may be damaged.
        progress: called with (done, total).

    Returns:
        Those that can be used, and the errors of the others; or, where all can, of the window for the set.
    """
    looked = each(partial(_look, window, excluded), images, progress)
    seen = [one for one in looked if isinstance(one, Seen)]
    errors = {
        image.image_id: one for image, one in zip(images, looked, strict=True) if isinstance(one, DataError)
    }
    return seen, _summed_up(errors) or _window_errors(window, seen)


def _look(window: str, excluded: Set[str], image: FoundImage) -> Seen | DataError:
    left_out = image.image_id in excluded
    try:
        content = read_content(image.file, image.image_id)
        picture = picture_of(content, image.image_id, window)
    except DataError as error:
        return _undecodable(image) if left_out else error
    facts = facts_of(content, picture)
    signature = sign(picture.grey, facts.pixels)
    return Seen(image, left_out, facts, signature, picture.unit, picture.tags, picture.synthetic)


def _undecodable(image: FoundImage) -> Seen | DataError:
    """What can be recorded of a file that is kept although nothing can be made of it."""
    try:
        size, sha256 = image.file.stat().st_size, sha256_file(image.file)
    except OSError as error:
        return DataError(f"{image.image_id}: cannot be read ({error.strerror})")
    facts = ImageFacts(
        width=0, height=0, mode="", bytes=size, sha256=sha256, window="", pixels="", mean=0.0, std=0.0
    )
    return Seen(image, True, facts, None, "", {})


def _summed_up(errors: Mapping[str, DataError]) -> list[DataError]:
    """The errors, those of many images that want another window as one: that is one thing to do."""
    wanting: dict[str, list[str]] = defaultdict(list)
    for image_id, error in errors.items():
        if error.hint == WINDOW_HINT:
            wanting[error.problems[0].removeprefix(f"{image_id}: ")].append(image_id)
    many = {why: ids for why, ids in wanting.items() if len(ids) > SHOWN}
    told = {image_id for ids in many.values() for image_id in ids}
    return [
        *(error for image_id, error in errors.items() if image_id not in told),
        *(DataError(f"{some(ids)}: {why}", WINDOW_HINT) for why, ids in many.items()),
    ]


def _window_errors(window: str, seen: Sequence[Seen]) -> list[DataError]:
    """Why the window does not fit the set as a whole."""
    of_unit: dict[str, list[str]] = defaultdict(list)
    for one in seen:
        if one.unit:
            of_unit[one.unit].append(one.image.image_id)
    if window and not of_unit:
        why = "changes nothing: every image has 8-bit levels, which are taken as they are"
        return [DataError(f"--window {window}: {why}", "leave it out")]
    if len(of_unit) > 1:
        units = "; ".join(f"{unit} of {len(ids):,} images ({ids[0]})" for unit, ids in of_unit.items())
        return [
            DataError(f"--window {window}: one for different units: {units}", "import a set for each unit")
        ]
    return []


def window_notes(seen: Sequence[Seen]) -> tuple[list[str], list[str]]:
    """What a person should hear of what a window made: notes and warnings, one line each."""
    windowed = [one for one in seen if one.unit]
    if not windowed:
        return [], []
    count = len(windowed)
    notes = [f"window {windowed[0].facts.window}, {windowed[0].unit}: {count:,} of {len(seen):,} images"]
    plain = sum(one.signature is not None and not one.unit for one in seen)
    if plain:
        notes.append(f"8-bit levels, taken as they are: {plain:,} of {len(seen):,} images")
    flat = [one.image.image_id for one in windowed if not one.facts.std]
    warnings = (
        [f"{len(flat):,} of {count:,} images are of one grey level in this window: {flat[0]}"] if flat else []
    )
    return notes, warnings
