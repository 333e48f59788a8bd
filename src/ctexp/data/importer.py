"""Bringing a folder or a zip into `data/raw/<name>`: whole, or not at all.

Everything is looked at first; the images are copied into a staging folder beside their place; the catalog is
written; then one rename makes the set appear. A catalog without its folder is what a kill just before the
rename leaves: `catalog.load` refuses it, and the next import writes it anew.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from ctexp.core.errors import DataError
from ctexp.core.files import fsync_directory, sha256_bytes, storage_errors
from ctexp.core.locks import FileLock
from ctexp.core.names import check_id
from ctexp.data import archive, catalog
from ctexp.data.catalog import Catalog, ImageRow
from ctexp.data.duplicates.find import find_pairs
from ctexp.data.duplicates.groups import group_ids
from ctexp.data.duplicates.signature import Signature, sign
from ctexp.data.images import ImageFacts, inspect, read_content
from ctexp.data.import_report import ImportReport, report_on
from ctexp.data.layout import FoundImage, Layout, scan
from ctexp.data.parallel import each
from ctexp.data.splits import divide

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
    synthetic: bool = False,
) -> ImportReport:
    """Import the images of `source` as data set `name`.

    Args:
        source: a folder or a .zip in one of the layouts of `ctexp.data.layout`.
        name: what the set is to be called.
        data_dir: the data folder; the set goes to `raw/<name>` and `raw/<name>.parquet` in it.
        seed: divides a set that comes unsplit, 70/15/15; unused otherwise.
        progress: told of each step.
        synthetic: the images were drawn by a program, which the catalog then says.

    Returns:
        What was imported. Where the very same set exists under this name nothing is done, and it says so.

    Raises:
        UsageError: `name` may not name a data set.
        DataError: the source is missing, its layout is not understood, images cannot be used, or another
            set has the name. All problems of a step are listed, and nothing is left behind.
        Busy: another import into `data_dir` is running.
        StorageError: the disk is full or the folder cannot be written.
    """
    check_id(name, "data.name")
    source = source.expanduser().absolute()
    if not source.is_dir() and not source.is_file():
        raise DataError(f"{source}: no such folder or zip file")
    report = partial(_report, progress)
    with _staging(data_dir) as stage:
        folder = source
        if source.is_file():
            folder = stage / "unpacked"
            archive.unpack(source, folder, report("unpack"))
        layout = scan(folder, source.name)
        inspected = each(_inspect, layout.images, report("check"), "replace or remove the files named")
        rows = _rows(layout, inspected, seed)
        split_seed = seed if layout.images[0].split is None else None
        existing = _existing(data_dir, name, rows)
        if existing:
            return report_on(existing, True, split_seed, layout.ignored)
        copied = stage / "copied"
        _copy(layout.images, _by_id(rows), copied, report("copy"))
        written = catalog.write(data_dir, name, rows, synthetic=synthetic)
        copied.rename(written.raw)
        fsync_directory(written.raw.parent)
    return report_on(written, False, split_seed, layout.ignored)


@contextmanager
def _staging(data_dir: Path) -> Iterator[Path]:
    """A fresh folder beside the sets, removed at the end; those of killed imports are removed first."""
    raw = data_dir / "raw"
    with FileLock(raw / ".import.lock", f"importing into {data_dir}"):
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


def _inspect(image: FoundImage) -> tuple[ImageFacts, Signature]:
    facts, grey = inspect(image.file, image.image_id)
    return facts, sign(grey, facts.pixels)


def _rows(layout: Layout, inspected: Sequence[tuple[ImageFacts, Signature]], seed: int) -> list[ImageRow]:
    sha256s = [facts.sha256 for facts, _ in inspected]
    pairs = find_pairs(sha256s, [signature for _, signature in inspected])
    links = [(pair.first, pair.second) for pair in pairs]
    groups = group_ids(sha256s, links, [None] * len(sha256s))
    made: dict[str, str] = {}
    if layout.images[0].split is None:
        triples = [
            (image.image_id, image.class_name, group)
            for image, group in zip(layout.images, groups, strict=True)
        ]
        made = divide(triples, seed)
    return [
        ImageRow(
            image_id=image.image_id,
            path=image.image_id,
            split=image.split or made[image.image_id],
            class_name=image.class_name,
            group=group,
            excluded=False,
            **vars(facts),
        )
        for image, (facts, _), group in zip(layout.images, inspected, groups, strict=True)
    ]


def _by_id(rows: Sequence[ImageRow]) -> dict[str, ImageRow]:
    return {row.image_id: row for row in rows}


def _existing(data_dir: Path, name: str, rows: Sequence[ImageRow]) -> Catalog | None:
    """The set that has the name, if it is this very set; None when the name is free.

    Raises:
        DataError: the name is taken by something else, or files of the set are damaged.
    """
    raw, file = catalog.raw_folder(data_dir, name), catalog.catalog_file(data_dir, name)
    if not raw.exists():
        return None
    ways = f"choose another --name, or move {raw} and {file.name} away first"
    if not file.exists():
        raise DataError(f"{raw}: exists, but without a catalog", ways)
    existing = catalog.load(data_dir, name)
    here, there = _by_id(rows), _by_id(existing.rows)
    if {i: row.sha256 for i, row in here.items()} != {i: row.sha256 for i, row in there.items()}:
        shared = sum(i in there and there[i].sha256 == row.sha256 for i, row in here.items())
        raise DataError(
            f"data set {name!r} exists with other content: {len(there)} images there, {len(here)} here, "
            f"{shared} the same",
            ways,
        )
    if any(there[i].split != row.split for i, row in here.items()):
        raise DataError(f"data set {name!r} exists with the same images, split differently", ways)
    existing.verify_files(existing.rows)
    return existing


def _copy(
    images: Sequence[FoundImage],
    rows: dict[str, ImageRow],
    target: Path,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Copy the files as they are, each onto the disk before the set appears."""
    folders = {(target / image.image_id).parent for image in images}
    with storage_errors(target):
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)

    def copy(image: FoundImage) -> None:
        content = read_content(image.file, image.image_id)
        if sha256_bytes(content) != rows[image.image_id].sha256:
            raise DataError(f"{image.image_id}: changed while it was imported")
        file = target / image.image_id
        with storage_errors(file), file.open("xb") as written:
            written.write(content)
            written.flush()
            os.fsync(written.fileno())

    each(copy, images, progress, "import again when nothing else writes there")
    for folder in {*folders, *(folder.parent for folder in folders)}:
        fsync_directory(folder)
