"""Bringing a folder or a zip into `data/raw/<name>`: whole, or not at all.

Everything is looked at first; the images are copied into a staging folder beside their place; the catalog is
written; then one rename makes the set appear. A catalog without its folder is what a kill just before the
rename leaves: `catalog.load` refuses it, and the next import writes it anew. Where the set is there already
and only more is known of it, the catalog alone is replaced.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from ctexp.core.errors import DataError
from ctexp.core.files import fsync_directory, sha256_file, storage_errors
from ctexp.core.names import check_id
from ctexp.data import catalog, windows
from ctexp.data.catalog import Catalog, ImageRow
from ctexp.data.intake import archive, metadata
from ctexp.data.intake.assemble import assemble
from ctexp.data.intake.gather import gather
from ctexp.data.intake.import_report import ImportReport, Outcome
from ctexp.data.intake.layout import FoundImage
from ctexp.data.intake.listed import read_mentions
from ctexp.data.intake.taken import changes, refuse_loss, same_set
from ctexp.data.parallel import each

Progress = Callable[[str, int, int], None]
"""Called with (step, done, total); steps are `unpack`, `check` and `copy`."""

_STAGE = ".importing-"


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
    synthetic: bool = False,
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
        synthetic: the images were drawn by a program, which the catalog then says.

    Returns:
        What was imported. Where the set exists under this name its catalog is brought up to date, or nothing
        is done, and the report says so.

    Raises:
        UsageError: `name` may not name a data set, or `window` is none.
        DataError: the source is missing, its layout is not understood, images cannot be used, table or list
            do not fit them, or another set has the name. All problems of layout, images, table and list are
            told at once, and nothing is left behind.
        Busy: another import into `data_dir` is running.
        StorageError: the disk is full or the folder cannot be written.
    """
    check_id(name, "data.name")
    if window is not None:
        windows.parse(window)
    known = metadata.read(table) if table else None
    unwanted = read_mentions(exclude) if exclude else None
    source = source.expanduser().absolute()
    if not source.is_dir() and not source.is_file():
        raise DataError(f"{source}: no such folder or zip file")
    report = partial(_report, progress)
    with _staging(data_dir) as stage:
        folder = source
        if source.is_file():
            folder = stage / "unpacked"
            archive.unpack(source, folder, report("unpack"))
        found = gather(folder, source, known, unwanted, window or "", report("check"))
        rows = assemble(found.seen, found.meta, seed)
        split_seed = seed if found.seen[0].image.split is None else None
        there = same_set(data_dir, name, rows, split_seed)
        if there:
            refuse_loss(there, rows, metadata=known is not None, exclusions=unwanted is not None)
            written, outcome, changed = _updated(data_dir, there, rows)
        else:
            copied = stage / "copied"
            _copy([one.image for one in found.seen], rows, copied, report("copy"))
            written, outcome, changed = (
                catalog.write(data_dir, name, rows, synthetic=synthetic),
                "imported",
                [],
            )
            copied.rename(written.raw)
            fsync_directory(written.raw.parent)
    notes = (*changed, *found.notes)
    return ImportReport(written, outcome, split_seed, notes, tuple(found.warnings), tuple(found.ignored))


@contextmanager
def _staging(data_dir: Path) -> Iterator[Path]:
    """A fresh folder beside the sets, removed at the end; those of killed imports are removed first."""
    raw = data_dir / "raw"
    with catalog.import_lock(data_dir):
        for stale in raw.glob(f"{_STAGE}*"):
            shutil.rmtree(stale)
        with storage_errors(raw / _STAGE):
            stage = Path(tempfile.mkdtemp(prefix=_STAGE, dir=raw))
        try:
            yield stage
        finally:
            shutil.rmtree(stage)


def _report(progress: Progress | None, step: str) -> Callable[[int, int], None] | None:
    return partial(progress, step) if progress else None


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

    each(copy, images, progress, "import again when nothing else writes there")
    for folder in {target, *(folder for path in folders for folder in (path, *path.parents))}:
        if folder.is_relative_to(target):
            fsync_directory(folder)
