"""The report's tables as CSV files, for what-if tools and spreadsheets.

RFC 4180: commas, quotes doubled, lines that end with CR LF. A cell of text that a spreadsheet would take for
a formula begins with an apostrophe, as OWASP advises, so that a run's name can start nothing.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from ctexp.core import files
from ctexp.core.classes import CLASSES
from ctexp.core.spreadsheet import harmless
from ctexp.evaluation.verdicts.costs import cost
from ctexp.reports.build import Judged, Report

Cell = str | int | float | bool | None
Table = list[Sequence[Cell]]


def write(report: Report, folder: Path) -> list[Path]:
    """Write every table into a folder, each atomically; the files, in the order of `tables`.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    written = []
    for name, table in tables(report).items():
        path = folder / f"{name}.csv"
        files.write_bytes(path, text(table).encode())
        written.append(path)
    return written


def text(table: Iterable[Sequence[Cell]]) -> str:
    """A table as CSV; an empty cell is an unknown value."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for row in table:
        writer.writerow([_cell(cell) for cell in row])
    return out.getvalue()


def _cell(cell: Cell) -> str | int | float:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return harmless(cell) if isinstance(cell, str) else cell


def tables(report: Report) -> dict[str, Table]:
    """Name -> rows, the first of them the columns."""
    return {
        "runs": _runs(report),
        "metrics": _metrics(report),
        "per_class": _per_class(report),
        "comparison": _comparison(report),
        "predictions": _predictions(report),
        "slices": _slices(report),
    }


def _runs(report: Report) -> Table:
    table: Table = [
        (
            *("experiment", "run", "state", "seed", "model", "parameters", "dataset", "catalog_sha256"),
            *("split", "fold", "commit", "dirty", "started", "epochs", "minutes", "memory_mb", "description"),
        )
    ]
    for sheet in report.sheets:
        memory = cost(sheet.subject, "val").memory_mb
        for member in sheet.members:
            its, end = member.manifest, member.result
            about: tuple[Cell, ...] = (None,) * 9
            if its:
                data, git = its.dataset, its.git
                about = (its.seed, its.model.name, its.model.parameters, data.name, data.catalog_sha256)
                about += (data.split, data.fold, git.commit, git.dirty)
            ended = (end.started, end.epochs, end.duration_seconds / 60) if end else (None,) * 3
            state, said = end.state if end else None, its.description if its else None
            table.append((sheet.title, member.run.id, state, *about, *ended, memory, said))
    return table


_MEASURED = ("value", "low", "high", "n", "method")
"""Of a metric; behind it stands how many seeds' answers were averaged: not the mean of what each says."""


def _whose(one: Judged) -> tuple[str, str]:
    """The first two cells of a row about one experiment on one split."""
    return one.sheet.named(one.view), one.view.split


def _metrics(report: Report) -> Table:
    table: Table = [("experiment", "split", "metric", *_MEASURED, "averaged")]
    for one in report.judged:
        for metric, its in one.view.summary["metrics"].items():
            values = (its[name] for name in _MEASURED)
            table.append((*_whose(one), metric.partition("/")[2], *values, len(one.view.answers.seeds)))
    return table


def _per_class(report: Report) -> Table:
    table: Table = [("experiment", "split", "class", "metric", *_MEASURED, "averaged")]
    for one in report.judged:
        for name, entries in one.view.summary["per_class"].items():
            for metric, its in entries.items():
                values = (its[name] for name in _MEASURED)
                table.append((*_whose(one), name, metric, *values, len(one.view.answers.seeds)))
    return table


def _comparison(report: Report) -> Table:
    columns = ("baseline", "candidate", "difference", "low", "high", "p", "p_holm", "verdict")
    table: Table = [("experiment", "against", "split", "images", "metric", *columns)]
    if document := report.comparison:
        where = (document.baseline.title, document.split, document.images)
        for candidate in document.candidates:
            for metric, its in candidate.metrics.items():
                values = (getattr(its, column) for column in columns)
                table.append((candidate.title, *where, metric, *values))
    return table


def _predictions(report: Report) -> Table:
    columns = ("experiment", "split", "image_id", "sha256", "group", "label", "called", "calibrated")
    table: Table = [(*columns, *(f"probability_{name}" for name in CLASSES))]
    for one in report.judged:
        cases, whose = one.view.cases, _whose(one)
        scaled = cases.temperature is not None
        for row, image_id in enumerate(cases.image_id):
            image = (image_id, cases.sha256[row], int(cases.group[row]))
            said = (CLASSES[cases.label[row]], CLASSES[cases.called[row]], scaled)
            table.append((*whose, *image, *said, *cases.probabilities[row].tolist()))
    return table


def _slices(report: Report) -> Table:
    table: Table = [
        (
            *("experiment", "split", "attribute", "value", "images", "groups", "few", "errors"),
            *("accuracy", "accuracy_low", "accuracy_high", "miss_rate", "miss_rate_low", "miss_rate_high"),
            *("difference", "difference_low", "difference_high", "p", "p_holm"),
        )
    ]
    for one in report.judged:
        for its in one.slices:
            about = (its.attribute, its.value, its.n, its.groups, its.few, its.errors)
            shares = (at for of in (its.accuracy, its.miss_rate) for at in (of.value, of.low, of.high))
            apart = its.difference
            compared = (apart.value, apart.low, apart.high, apart.p, apart.p_holm)
            table.append((*_whose(one), *about, *shares, *compared))
    return table
