"""Bringing a folder or a zip into `data/raw/<name>`: whole, or not at all.

Everything is looked at first; the images are copied into a staging folder beside their place; the catalog is
written; then one rename makes the set appear. A catalog without its folder is what a kill just before the
rename leaves: `catalog.load` refuses it, and the same import again completes it. Where the set is there
already its missing and damaged files are put back, and the catalog is replaced if more is known.
"""

import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from ctexp.core.errors import DataError
from ctexp.core.files import fsync_directory, replacing, sha256_file, storage_errors
from ctexp.core.names import check_id
from ctexp.core.wording import many, some
from ctexp.data import catalog, windows
from ctexp.data.catalog import Catalog, ImageRow
from ctexp.data.intake import archive, metadata
from ctexp.data.intake.assemble import assemble
from ctexp.data.intake.gather import gather, refuse
from ctexp.data.intake.import_report import ImportReport, Outcome
from ctexp.data.intake.layout import EXPECTED, FoundImage
from ctexp.data.intake.listed import Mention, read_mentions
from ctexp.data.intake.taken import changes, refuse_loss, same_set
from ctexp.data.parallel import each

Progress = Callable[[str, int, int], None]
"""Called with (step, done, total); steps are `unpack`, `check` and `copy`."""

_STAGE = ".importing-"
_ALONE = "import again when nothing else writes there"


def import_dataset(
    source: Path,
    name: str,
    data_dir: Path,
    seed: int,
    progress: Progress | None = None,
    *,
    table: Path | None = None,
    window: str | None = None,
    exclude: Path | None = None,
) -> ImportReport:
    """Import the images of `source` as data set `name`.

    Args:
        source: a folder or a .zip in one of the layouts of `ctexp.data.intake.layout`.
        name: what the set is to be called.
        data_dir: the data folder; the set goes to `raw/<name>` and `raw/<name>.parquet` in it.
        seed: divides a set that comes unsplit, 70/15/15; unused otherwise.
        progress: told of each step.
        table: what is known of the images, as `ctexp.data.intake.metadata` reads it.
        window: how values of more than 8 bits become grey, as `ctexp.data.windows` reads it.
        exclude: a list of images to leave out of every split, which may be damaged.

    Returns:
        What was imported. Where the set exists under this name its catalog is brought up to date, its missing
        and damaged files are restored, or nothing is done, and the report says so.

    Raises:
        UsageError: `name` may not name a data set, or `window` is none.
        DataError: the source is missing, its layout is not understood, images cannot be used, table or list
            do not fit them, or another set has the name. All problems of layout, images, table and list are
            told at once, and nothing is left behind.
        Busy: another import into `data_dir` is running.
        StorageError: the disk is full or the folder cannot be written.
    """
    check_id(name, "data set")
    if window is not None:
        windows.parse(window)
    with suppress(RuntimeError):  # `~somebody` who is not there
        source = source.expanduser()
    source = source.absolute()
    known, unwanted = _read(source, table, exclude)
    report = partial(_report, progress)
    with _staging(data_dir) as stage:
        folder = source
        if source.is_file():
            folder = stage / "unpacked"
            archive.unpack(source, folder, report("unpack"))
        found = gather(folder, source, known, unwanted, window or "", report("check"))
        images = [one.image for one in found.seen]
        rows = assemble(found.seen, found.meta, seed)
        split_seed = seed if found.seen[0].image.split is None else None
        there = same_set(data_dir, name, rows, split_seed)
        if there:
            refuse_loss(
                there, rows, columns=known.columns if known else None, exclusions=unwanted is not None
            )
        if there and there.raw.exists():
            restored = _restored(there, images)
            written, outcome, changed = _updated(data_dir, there, rows)
            if restored and outcome == "unchanged":
                outcome = "restored"
        else:
            copied = stage / "copied"
            _copy(images, rows, copied, report("copy"))
            written = catalog.write(data_dir, name, rows, synthetic=found.synthetic)
            outcome, changed, restored = "imported", [], []
            copied.rename(written.raw)
            fsync_directory(written.raw.parent)
    notes = (*restored, *changed, *found.notes)
    return ImportReport(written, outcome, split_seed, notes, tuple(found.warnings), tuple(found.ignored))


def _read(
    source: Path, table: Path | None, exclude: Path | None
) -> tuple[metadata.Table | None, list[Mention] | None]:
    """Table and list, where they are given.

    Raises:
        DataError: they cannot be read, or `source` is nothing that can be imported; all of that is told.
    """
    known, unwanted = None, None
    errors: list[DataError] = []
    with _kept(errors):
        _check_source(source)
    with _kept(errors):
        known = metadata.read(table) if table else None
    with _kept(errors):
        unwanted = read_mentions(exclude) if exclude else None
    refuse(errors)
    return known, unwanted


@contextmanager
def _kept(errors: list[DataError]) -> Iterator[None]:
    """Put a `DataError` among the others, to be told with them."""
    try:
        yield
    except DataError as error:
        errors.append(error)


def _check_source(source: Path) -> None:
    hint = f"give a folder of images, or a .zip of one; {EXPECTED}"
    try:
        is_file, is_folder = source.is_file(), source.is_dir()
    except OSError as error:  # too long a name
        raise DataError(f"{source}: {(error.strerror or 'unusable').lower()}", hint) from error
    if not is_file and not is_folder:
        raise DataError(f"{source}: no such folder or zip file", hint)
    if is_file and source.suffix.lower() != ".zip" and not zipfile.is_zipfile(source):
        raise DataError(f"{source}: neither a folder nor a zip file", hint)


@contextmanager
def _staging(data_dir: Path) -> Iterator[Path]:
    """A fresh folder beside the sets, removed at the end; those of killed imports are removed first."""
    raw = data_dir / "raw"
    with catalog.import_lock(data_dir):
        for stale in raw.glob(f"{_STAGE}*"):
            shutil.rmtree(stale, ignore_errors=True)
        with storage_errors(raw / _STAGE):
            stage = Path(tempfile.mkdtemp(prefix=_STAGE, dir=raw))
        try:
            yield stage
        finally:
            shutil.rmtree(stage)


def _report(progress: Progress | None, step: str) -> Callable[[int, int], None] | None:
    return partial(progress, step) if progress else None


def _restored(there: Catalog, images: Sequence[FoundImage]) -> list[str]:
    """Put back the set's missing and damaged files; what to say of it. The source holds the same bytes."""
    source = {image.image_id: image.file for image in images}
    damaged = there.damaged()
    for row in damaged:
        with replacing(there.raw / row.path) as temporary:
            shutil.copyfile(source[row.image_id], temporary)
            if sha256_file(temporary) != row.sha256:
                raise DataError(f"{row.image_id}: changed while it was imported", _ALONE)
    named = some([row.image_id for row in damaged])
    return [f"restored {many(len(damaged), 'file')}: {named}"] if damaged else []


def _updated(data_dir: Path, there: Catalog, rows: Sequence[ImageRow]) -> tuple[Catalog, Outcome, list[str]]:
    """The set with a catalog of these rows, what was done, and what is different now."""
    different = changes(there, rows)
    if not different:
        return there, "unchanged", []
    written = catalog.write(data_dir, there.name, rows, synthetic=there.synthetic)
    return written, "updated", [f"the catalog says other than before: {different}"]


def _copy(
    images: Sequence[FoundImage],
    rows: Sequence[ImageRow],
    target: Path,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Copy the files as they are, each onto the disk before the set appears."""
    sha256s = {row.image_id: row.sha256 for row in rows}
    folders = {(target / image.image_id).parent for image in images}
    with storage_errors(target):
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)

    def copy(image: FoundImage) -> None:
        file = target / image.image_id
        with storage_errors(file), file.open("xb") as written:
            with image.file.open("rb") as read:
                shutil.copyfileobj(read, written)
            written.flush()
            os.fsync(written.fileno())
        if sha256_file(file) != sha256s[image.image_id]:
            raise DataError(f"{image.image_id}: changed while it was imported")

    each(copy, images, progress, _ALONE)
    for folder in {target, *(folder for path in folders for folder in (path, *path.parents))}:
        if folder.is_relative_to(target):
            fsync_directory(folder)
