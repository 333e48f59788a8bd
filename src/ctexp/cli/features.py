"""`extract-features`: the radiomics of a data set, and which of them tell its classes apart."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from ctexp.config.compose import resolve_paths
from ctexp.core import screen
from ctexp.core.errors import UsageError
from ctexp.core.paths import feature_lists_folder, project_root, shown, splits_folder
from ctexp.data.selection import Selection, select

_SHOWN = 10


def extract(dataset: str, split: str, json: bool) -> None:
    """Measure every image of a data set, rank the columns on a split's training images, write both."""
    if split == "kfold":
        raise UsageError(
            "--split: kfold has no one set of training images: each fold validates on what others train on",
            "choose one of: auto, official, clean, grouped, time",
        )
    root = project_root()
    data_dir, _ = resolve_paths(root)
    selection = select(data_dir, splits_folder(root), dataset, split, None)
    document = _measure_and_rank(data_dir, feature_lists_folder(root), selection)
    if json:
        screen.emit_json(document)
    else:
        _tell(document, selection, "" if split == "auto" else f" data.split={split}")


def _measure_and_rank(data_dir: Path, lists_folder: Path, selection: Selection) -> dict[str, Any]:
    """Write table and lists; what there is to tell of them."""
    from ctexp.data.radiomics import lists, ranking, table
    from ctexp.data.radiomics.columns import FAMILIES, made_by
    from ctexp.data.radiomics.extract import extract as measure

    name = selection.catalog.name
    rows = [row for row in selection.catalog.rows if not row.excluded]
    file = table.table_file(data_dir, name)
    with screen.bar("measuring images") as bar:
        task = bar.add_task("", total=None)
        done = measure(
            selection.catalog.raw,
            rows,
            file.parent,
            lambda measured, total: bar.update(task, completed=measured, total=total),
        )
    written = table.write(file, rows, done.values)
    training = selection.rows["train"]
    independent = [training[place] for place in ranking.independent(training)]
    ranks = ranking.rank(written.of(independent), [row.label for row in independent])
    ranked = lists.write(lists.lists_file(lists_folder, name), selection, len(independent), ranks)
    return {
        "dataset": name,
        "images": len(rows),
        "measured": done.measured,
        "made_by": made_by(),
        "families": {family: len(columns) for family, columns in FAMILIES.items()},
        "milliseconds": dict(done.milliseconds),
        "table": {"file": str(file), "sha256": written.sha256},
        "lists": {"file": str(ranked.file), "origin": dict(ranked.origin)}
        | {listed: list(columns) for listed, columns in ranked.columns.items()},
        "columns": [vars(rank) for rank in ranks],
    }


def _tell(document: dict[str, Any], selection: Selection, split: str) -> None:
    images, measured = document["images"], document["measured"]
    print(
        f"{selection.catalog.title}: 50 features of {images:,} images, {measured:,} measured now, "
        f"{images - measured:,} known or copies"
    )
    screen.results().print(_family_table(document))
    training = document["lists"]["origin"]["training"]
    top, bottom = document["lists"]["top_features"], document["lists"]["bottom_features"]
    print(
        f"ranked on {training['used']:,} of {training['images']:,} training images "
        f"({selection.scheme} split), one of each group: {len(top)} top features, "
        f"{len(bottom)} bottom features"
    )
    screen.results().print(_column_table(document["columns"][:_SHOWN], top))
    print(f"table {shown(Path(document['table']['file']))}")
    print(f"lists {shown(Path(document['lists']['file']))}")
    for line in selection.notes:
        screen.note(line)
    for listed in ("top_features", "bottom_features"):
        if not document["lists"][listed]:
            screen.warn(f"{listed} is empty: features={listed} cannot be trained with on this split")
    screen.note(f"commit the lists: git add {shown(Path(document['lists']['file']))}")
    screen.note(
        "train with them: scripts/inv train model=dual_pathway features=all_features "
        f"data.name={document['dataset']}{split}"
    )


def _family_table(document: dict[str, Any]) -> Table:
    """Columns and time of each family; finding the body is on a line of its own."""
    table = Table(box=None, pad_edge=False)
    table.add_column("family")
    table.add_column("columns", justify="right")
    table.add_column("ms an image", justify="right")
    for family in ("body", *document["families"]):
        milliseconds = document["milliseconds"].get(family)
        table.add_row(
            family,
            str(document["families"].get(family, "")),
            "" if milliseconds is None else f"{milliseconds:.1f}",
        )
    return table


def _column_table(columns: Sequence[dict[str, Any]], top: Sequence[str]) -> Table:
    """The best columns, and whether they are good enough to be top features."""
    table = Table(box=None, pad_edge=False)
    table.add_column("column")
    table.add_column("effect ε²", justify="right")
    table.add_column("corrected p", justify="right")
    table.add_column("list")
    for column in columns:
        table.add_row(
            column["column"],
            f"{column['effect']:.3f}",
            f"{column['corrected_p']:.2g}",
            "top" if column["column"] in top else "bottom",
        )
    return table
