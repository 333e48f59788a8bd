"""`extract-features`: the radiomics of a data set, and which of them tell its classes apart."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from ctexp.cli.tables import plain
from ctexp.config.compose import resolve_paths
from ctexp.core import screen
from ctexp.core.paths import feature_lists_folder, project_root, shown, splits_folder
from ctexp.data.selection import Selection, select
from ctexp.data.splits import split_file

if TYPE_CHECKING:
    from ctexp.data.radiomics.table import FeatureTable

_SHOWN = 10


def extract(dataset: str, split: str, json: bool) -> None:
    """Measure every image of a data set, rank the columns on a split's training images, write both.

    Of a kfold split every fold has lists of its own.
    """
    root = project_root()
    data_dir, _ = resolve_paths(root)
    splits, lists_folder = splits_folder(root), feature_lists_folder(root)
    selection = select(data_dir, splits, dataset, split, 0 if split == "kfold" else None)
    document, table = _measure(data_dir, selection)
    ranked = [_rank(lists_folder, table, one) for one in _folds(splits, selection)]
    if json:
        screen.emit_json(document | ({"folds": ranked} if selection.fold is not None else ranked[0]))
    else:
        _tell(document, ranked, selection, "" if split == "auto" else f" data.split={split}")


def _folds(splits: Path, selection: Selection) -> Iterator[Selection]:
    """A kfold split's selection of each fold; any other as it is."""
    if selection.fold is None:
        yield selection
        return
    split, _ = split_file.find(splits, selection.catalog, selection.scheme)
    for fold in range(split.folds):
        yield replace(selection, fold=fold, rows=split.for_training(selection.catalog, fold))


def _measure(data_dir: Path, selection: Selection) -> "tuple[dict[str, Any], FeatureTable]":
    """Write the table; what there is to tell of it."""
    from ctexp.data.radiomics import table
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
    return {
        "dataset": name,
        "images": len(rows),
        "measured": done.measured,
        "made_by": made_by(),
        "families": {family: len(columns) for family, columns in FAMILIES.items()},
        "milliseconds": dict(done.milliseconds),
        "table": {"file": str(file), "sha256": written.sha256},
    }, written


def _rank(lists_folder: Path, table: "FeatureTable", selection: Selection) -> dict[str, Any]:
    """Write the lists of one selection; what there is to tell of them."""
    from ctexp.data.radiomics import lists, ranking

    training = selection.rows["train"]
    independent = [training[place] for place in ranking.independent(training)]
    ranks = ranking.rank(table.of(independent), [row.label for row in independent])
    file = lists.lists_file(lists_folder, selection.catalog.name, selection.fold)
    before = lists.method_in(file)
    written = lists.write(file, selection, ranking.ranked(selection, len(independent), ranks))
    return {
        "lists": {"file": str(written.file), "origin": dict(written.origin)}
        | {listed: list(columns) for listed, columns in written.columns.items()},
        "columns": [vars(rank) for rank in ranks],
        "replaced": before if before != ranking.METHOD else None,
    }


def _tell(
    document: dict[str, Any], ranked: Sequence[dict[str, Any]], selection: Selection, split: str
) -> None:
    images, measured = document["images"], document["measured"]
    print(
        f"{selection.catalog.title}: 50 features of {images:,} images, {measured:,} measured now, "
        f"{images - measured:,} known or copies"
    )
    screen.print_table(_family_table(document))
    for one in ranked:
        _tell_lists(one)
    print(f"table {shown(Path(document['table']['file']))}")
    files = [shown(Path(one["lists"]["file"])) for one in ranked]
    for file in files:
        print(f"lists {file}")
    for line in selection.notes:
        screen.note(line)
    for one, file in zip(ranked, files, strict=True):
        if one["replaced"]:
            screen.warn(f"{file}: these lists replace those made by {one['replaced']}")
        for listed in ("top_features", "bottom_features"):
            if not one["lists"][listed]:
                screen.warn(f"{file}: {listed} is empty: features={listed} cannot be trained with")
    screen.note(f"commit the lists: git add {' '.join(files)}")
    verb = "train" if selection.fold is None else "cross-validate"
    screen.note(
        f"train with them: scripts/inv {verb} model=dual_pathway features=all_features "
        f"data.name={document['dataset']}{split}"
    )


def _tell_lists(ranked: dict[str, Any]) -> None:
    """How many columns count; where there are no folds, also which of them most."""
    origin, top = ranked["lists"]["origin"], ranked["lists"]["top_features"]
    fold = origin["split"].get("fold")
    which = f"{origin['split']['scheme']} split" + ("" if fold is None else f", fold {fold}")
    print(
        f"ranked on {origin['training']['used']:,} of {origin['training']['images']:,} training images "
        f"({which}), one of each group: {len(top)} top features, "
        f"{len(ranked['lists']['bottom_features'])} bottom features"
    )
    if fold is None:
        screen.print_table(_column_table(ranked["columns"][:_SHOWN], top))


def _family_table(document: dict[str, Any]) -> Table:
    """Columns and time of each family; finding the body is on a line of its own."""
    table = plain("family", "columns:", "ms an image:")
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
    table = plain("column", "effect ε²:", "corrected p:", "list")
    for column in columns:
        table.add_row(
            column["column"],
            f"{column['effect']:.3f}",
            f"{column['corrected_p']:.2g}",
            "top" if column["column"] in top else "bottom",
        )
    return table
