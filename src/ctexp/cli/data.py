"""`data-import` and `data-phantom`: images into the project."""

import shutil
import tempfile
from pathlib import Path

from ctexp.cli.tables import per_class
from ctexp.config.compose import resolve_paths
from ctexp.core import screen
from ctexp.core.errors import UsageError
from ctexp.core.files import storage_errors
from ctexp.core.names import check_id
from ctexp.core.paths import project_root, shown
from ctexp.core.wording import many, some
from ctexp.data.intake.import_report import ImportReport
from ctexp.data.intake.importer import import_dataset
from ctexp.data.phantom import dataset as phantoms


def import_(
    path: str,
    name: str,
    metadata: str | None,
    window: str | None,
    exclude: str | None,
    seed: int,
    json: bool,
) -> None:
    """Import a folder or zip as data set `name`, and audit it."""
    from ctexp.cli import audit as audits  # takes a moment, and the synthetic set needs none

    _check_seed(seed)
    data_dir, _ = resolve_paths(project_root())
    with screen.steps() as progress:
        report = import_dataset(
            Path(path),
            name,
            data_dir,
            seed,
            progress,
            table=Path(metadata) if metadata is not None else None,
            window=window,
            exclude=Path(exclude) if exclude is not None else None,
        )
    if not json:
        _tell(report)
    found = audits.look_into(report.catalog, data_dir)
    if json:
        screen.emit_json(report.as_dict() | {"audit": found.as_dict()})
    else:
        audits.tell(found, data_dir)


def phantom(name: str, seed: int, json: bool) -> None:
    """Make the synthetic set and import it as `name`."""
    _check_seed(seed)
    data_dir, _ = resolve_paths(project_root())
    report = make_phantom(data_dir, name, seed)
    if json:
        screen.emit_json(report.as_dict())
    else:
        _tell(report)
        screen.print_table(per_class(report.counts))


def _check_seed(seed: int) -> None:
    if not 0 <= seed < 2**32:
        raise UsageError(f"--seed: {seed} is not from 0 to {2**32 - 1}", "for example --seed 42")


def make_phantom(data_dir: Path, name: str, seed: int) -> ImportReport:
    """Draw the synthetic images into a scratch folder and import them."""
    check_id(name, "--name")
    with storage_errors(data_dir / "raw"):
        data_dir.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".phantom-", dir=data_dir))
    try:
        with screen.steps() as progress:
            phantoms.generate(
                scratch / "Data",
                seed=seed,
                progress=lambda done, total: progress("draw", done, total),
            )
            return import_dataset(scratch / "Data", name, data_dir, seed, progress)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


_DONE = {
    "imported": "imported",
    "updated": "are there already, catalog updated",
    "restored": "are there again, damaged files restored",
    "unchanged": "are there already, unchanged",
}


def _tell(report: ImportReport) -> None:
    """Say what was done, and what a person should hear of it."""
    catalog = report.catalog
    print(f"{catalog.title}: {len(catalog.rows):,} images {_DONE[report.outcome]} in {shown(catalog.raw)}")
    for line in report.notes:
        screen.note(line)
    for line in report.warnings:
        screen.warn(line)
    if report.ignored:
        count = many(len(report.ignored), "file")
        screen.note(f"passed over {count} of operating systems and tools: {some(report.ignored)}")
    screen.note(f"train on it: scripts/inv train data.name={catalog.name}")
