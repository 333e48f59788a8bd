"""`data-import` and `data-phantom`: images into the project."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.table import Table

from ctexp.config.compose import resolve_paths
from ctexp.core import screen
from ctexp.core.classes import CLASSES
from ctexp.core.files import storage_errors
from ctexp.core.names import check_id
from ctexp.core.paths import project_root, shown
from ctexp.data.import_report import ImportReport
from ctexp.data.importer import Progress as ImportProgress
from ctexp.data.importer import import_dataset
from ctexp.data.phantom import dataset as phantoms


def import_(path: str, name: str, seed: int, json: bool) -> None:
    """Import a folder or zip as data set `name`."""
    data_dir, _ = resolve_paths(project_root())
    with _progress() as progress:
        report = import_dataset(Path(path), name, data_dir, seed, progress)
    _tell(report, json)


def phantom(name: str, seed: int, json: bool) -> None:
    """Make the synthetic set and import it as `name`."""
    data_dir, _ = resolve_paths(project_root())
    _tell(make_phantom(data_dir, name, seed), json)


def make_phantom(data_dir: Path, name: str, seed: int) -> ImportReport:
    """Draw the synthetic images into a scratch folder and import them."""
    check_id(name, "--name")
    with storage_errors(data_dir / "raw"):
        data_dir.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".phantom-", dir=data_dir))
    try:
        with _progress() as progress:
            phantoms.generate(
                scratch / "Data",
                seed=seed,
                progress=lambda done, total: progress("draw", done, total),
            )
            return import_dataset(scratch / "Data", name, data_dir, seed, progress, synthetic=True)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def _progress() -> Iterator[ImportProgress]:
    """A bar for each step on a terminal, nothing elsewhere."""
    bar = screen.bar("{task.description}")
    tasks = {}

    def report(step: str, done: int, total: int) -> None:
        if step not in tasks:
            tasks[step] = bar.add_task(step, total=total)
        bar.update(tasks[step], completed=done, total=total)

    with bar:
        yield report


def _tell(report: ImportReport, json: bool) -> None:
    if json:
        screen.emit_json(report.as_dict())
        return
    done = "is there already, unchanged" if report.unchanged else "imported"
    print(f"{report.catalog.title}: {len(report.catalog.rows)} images {done} in {shown(report.catalog.raw)}")
    table = Table(box=None, pad_edge=False)
    table.add_column("class")
    for split in report.counts:
        table.add_column(split, justify="right")
    for name in CLASSES:
        table.add_row(name, *(str(counts[name]) for counts in report.counts.values()))
    screen.results().print(table)
    for split, count in report.duplicates.in_train.items():
        if count:
            screen.warn(f"{count} images of {split} are copies of training images: its figures will flatter")
    for ids in report.duplicates.conflicting:
        screen.warn(f"the same image stands in several classes: {', '.join(ids)}")
    if report.ignored:
        screen.note(f"passed over {len(report.ignored)} files of operating systems and tools")
