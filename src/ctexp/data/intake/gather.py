"""All that there is to import, or all that is in its way: one look, one list."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ctexp.core.errors import DataError
from ctexp.data.intake.inspection import Seen, look_at, window_notes
from ctexp.data.intake.layout import scan
from ctexp.data.intake.listed import ImageNames, Mention
from ctexp.data.intake.metadata import Table, match, snake
from ctexp.data.intake.people import put_together

_IMAGES_HINT = "replace or remove the images named, or leave them out: --exclude FILE with a line for each"
_NAMES_HINT = (
    "name an image by its id (train/normal/a.png) or by as much of the end of its path as is its own"
)


@dataclass(frozen=True)
class Gathered:
    """What is to be imported.

    Attributes:
        seen: the images.
        meta: what is known of each, by name.
        notes: what a person should hear of them, one line each.
        warnings: what may have gone wrong, one line each.
        ignored: droppings that were passed over, relative to the source.
    """

    seen: Sequence[Seen]
    meta: Sequence[Mapping[str, str]]
    notes: Sequence[str]
    warnings: Sequence[str]
    ignored: Sequence[str]

    @property
    def synthetic(self) -> bool:
        """Whether all images that can be decoded say that a program drew them."""
        decoded = [one.synthetic for one in self.seen if one.signature is not None]
        return bool(decoded) and all(decoded)


def gather(
    folder: Path,
    source: Path,
    table: Table | None,
    unwanted: Sequence[Mention] | None,
    window: str,
    progress: Callable[[int, int], None] | None = None,
) -> Gathered:
    """Look at everything before anything is done.

    `source` is what the user gave: `folder`, or the zip that was unpacked there.

    Raises:
        DataError: the layout is not understood, images cannot be used, or table or list do not fit them. The
            problems of all of these are told at once.
    """
    layout = scan(folder, source.name)
    if not layout.images:
        raise DataError(layout.problems, layout.hint)
    names = ImageNames(layout.images, folder, source)
    left_out, not_found = names.find_all(unwanted or ())
    told, mismatches = match(table, names) if table else ({}, [])
    seen, damage = look_at(layout.images, window, {image.image_id for image in left_out}, progress)
    errors = [
        DataError(layout.problems, layout.hint),
        *damage,
        DataError(_emptied(seen), "exclude fewer images"),
        DataError([*not_found, *mismatches], _NAMES_HINT),
    ]
    refuse(errors, _IMAGES_HINT)
    ids = [one.image.image_id for one in seen]
    known = put_together(
        [one.image.class_name for one in seen],
        [one.tags for one in seen],
        [told.get(image_id) for image_id in ids],
    )
    notes, warnings = window_notes(seen)
    if table:
        without = (
            f"; {len(ids) - len(told):,} of {len(ids):,} images have no line" if len(told) < len(ids) else ""
        )
        columns = (
            f"{name} (from {written!r})" if snake(written) != name else name
            for name, written in table.columns.items()
        )
        notes.append(f"{table.name}: {', '.join(columns)}{without}")
    notes += known.notes
    if left_out:
        excluded, damaged = sum(one.excluded for one in seen), sum(one.signature is None for one in seen)
        notes.append(
            f"left out of every split: {excluded:,} of {len(ids):,} images; {damaged:,} cannot be decoded"
        )
    warnings += [*known.warnings, *_synthetic_warnings(seen)]
    return Gathered(seen, known.meta, notes, warnings, layout.ignored)


def refuse(errors: Sequence[DataError], hint: str = "") -> None:
    """Raise the problems and hints of all errors as one; `hint` stands for what an error has none for."""
    problems = [problem for error in errors for problem in error.problems]
    if problems:
        hints = dict.fromkeys(error.hint or hint for error in errors if error.problems)
        raise DataError(problems, "; ".join(filter(None, hints)))


def _synthetic_warnings(seen: Sequence[Seen]) -> list[str]:
    """What to say of a set that is synthetic in part."""
    drawn, decoded = sum(one.synthetic for one in seen), sum(one.signature is not None for one in seen)
    if drawn in {0, decoded}:
        return []
    return [
        f"drawn by a program, although the set is not called synthetic: {drawn:,} of {len(seen):,} images"
    ]


def _emptied(seen: Sequence[Seen]) -> list[str]:
    """The classes of which nothing is left, one line each."""
    found = Counter((one.image.split, one.image.class_name) for one in seen)
    left = Counter((one.image.split, one.image.class_name) for one in seen if not one.excluded)
    return [
        f"{class_name}{f' in {split}' if split else ''}: every image is excluded"
        for split, class_name in found
        if not left[split, class_name]
    ]
