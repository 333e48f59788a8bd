"""`analyze-errors`: where a run is wrong, what those images share, and what the network looked at."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ctexp.cli.meant import experiment
from ctexp.config.compose import load, paths_of, resolve_paths
from ctexp.core import screen
from ctexp.core.classes import SPLITS
from ctexp.core.errors import DataError, MemoryExhausted, PreflightError, UsageError
from ctexp.core.names import did_you_mean
from ctexp.core.paths import project_root
from ctexp.record.ledger import open_test
from ctexp.record.manifest import Manifest
from ctexp.record.subjects import Subject

if TYPE_CHECKING:
    from ctexp.data.catalog import Catalog
    from ctexp.evaluation.answers import Answers
    from ctexp.evaluation.mistakes.attributes import Attributes
    from ctexp.evaluation.mistakes.cases import Cases
    from ctexp.evaluation.mistakes.document import Mistakes

_MOST = 500


def analyze_errors(run: str, split: str, final: bool, explain: int, json: bool) -> None:
    """Compute, explain, write the folder, tell."""
    if split not in SPLITS:
        raise UsageError(f"--split: {split!r} is no split", did_you_mean(split, SPLITS))
    if not 0 <= explain <= _MOST:
        raise UsageError(f"--explain: {explain} is not between 0 and {_MOST}", "0 explains none")
    root = project_root()
    runs = resolve_paths(root)[1]
    found = experiment(root, run)
    _check_split(found, split, final=final)

    from ctexp.evaluation import answers
    from ctexp.evaluation.mistakes import folder
    from ctexp.evaluation.mistakes.document import mistakes

    missing = answers.unpredicted(found, split)
    if missing and (final or split != "test"):  # a sealed split is refused as sealed, whatever is there
        raise DataError(
            [f"{one.id}: no predictions of {split}" for one in missing],
            f"make them: {answers.commands(missing, split)}",
        )
    if split == "test":
        open_test(root, runs, kind="errors", subjects=found.runs, final=final)
    read = answers.read(found, split)
    dataset = Manifest.read(found.runs[0].manifest).dataset
    title = f"{dataset.name} (synthetic)" if dataset.synthetic else dataset.name
    catalog, why_not = _catalog(found, root)
    document, cases, known = mistakes(read, catalog.rows if catalog else (), title)
    pictures: Mapping[str, bytes] = {}
    if catalog is None:
        document = _noted(document, f"nothing is known of the images: {why_not}")
    elif explain and document.errors:
        document, pictures = _explained(document, read, cases, known, catalog, root, explain)
    place = folder.folder_of(runs, document.title, document.split)
    folder.write(place, document, pictures)
    if json:
        screen.emit_json(document.document() | {"folder": str(place)})
        return

    from ctexp.cli import error_tables

    error_tables.tell(document, place)


def _check_split(found: Subject, split: str, *, final: bool) -> None:
    """Refuse a split that a subject cannot be asked about, and words that have no use."""
    if found.place is not None and split != "val":
        raise UsageError(
            f"--split: a cross-validation judges its images out of fold, {split} is none of them",
            "leave --split out, or name one of its runs",
        )
    if final and split != "test":
        raise UsageError("--final: only the test split is sealed", "leave it out, or add --split test")


def _catalog(found: Subject, root: Path) -> "tuple[Catalog | None, str]":
    """The data set's catalog, or why there is none to ask."""
    from ctexp.data import catalog

    try:
        manifest = Manifest.read(found.runs[0].manifest)
        settings = load(found.runs[0].config, manifest.config_sha256)
        return catalog.read(paths_of(settings.paths, root)[0], manifest.dataset.name), ""
    except DataError as error:
        return None, "; ".join(error.problems)


def _explained(
    document: "Mistakes",
    read: "Answers",
    cases: "Cases",
    known: "Attributes",
    catalog: "Catalog",
    root: Path,
    count: int,
) -> "tuple[Mistakes, Mapping[str, bytes]]":
    """The document with its gallery, and the gallery's pictures; with a reason where there can be none."""
    from ctexp.training.explaining.gallery import gallery

    try:
        with screen.steps() as step:
            found = gallery(
                read, cases, known, catalog, root, count, lambda done, all_: step("explaining", done, all_)
            )
    except (DataError, MemoryExhausted, PreflightError) as error:
        return _noted(document, f"no pictures: {'; '.join(error.problems)}"), {}
    shown = {"explanation": found.explanation, "gallery": found.pictures}
    return document.model_copy(update=shown), found.files


def _noted(document: "Mistakes", note: str) -> "Mistakes":
    return document.model_copy(update={"notes": (*document.notes, note)})
