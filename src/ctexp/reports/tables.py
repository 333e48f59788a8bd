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
        for member in sheet.members:
            its, end = member.manifest, member.result
            about: tuple[Cell, ...] = (None,) * 9
            if its:
                about = (
                    *(its.seed, its.model.name, its.model.parameters, its.dataset.name),
                    *(its.dataset.catalog_sha256, its.dataset.split, its.dataset.fold),
                    *(its.git.commit, its.git.dirty),
                )
            ended: tuple[Cell, ...] = (None,) * 3
            if end:
                ended = end.started, end.epochs, end.duration_seconds / 60
            memory = cost(sheet.subject, "val").memory_mb
            table.append(
                (
                    *(sheet.title, member.run.id, end.state if end else None, *about, *ended, memory),
                    its.description if its else None,
                )
            )
    return table


def _metrics(report: Report) -> Table:
    table: Table = [("experiment", "split", "metric", "value", "low", "high", "n", "method", "averaged")]
    for one in report.judged:
        for metric, its in one.view.summary["metrics"].items():
            values = (its["value"], its["low"], its["high"], its["n"], its["method"])
            table.append(
                (one.sheet.named(one.view), one.view.split, metric.partition("/")[2], *values, _seeds(one))
            )
    return table


def _per_class(report: Report) -> Table:
    table: Table = [
        ("experiment", "split", "class", "metric", "value", "low", "high", "n", "method", "averaged")
    ]
    for one in report.judged:
        for name, entries in one.view.summary["per_class"].items():
            for metric, its in entries.items():
                values = (its["value"], its["low"], its["high"], its["n"], its["method"])
                table.append((one.sheet.named(one.view), one.view.split, name, metric, *values, _seeds(one)))
    return table


def _seeds(one: Judged) -> int:
    """How many seeds' answers were averaged: what they say together is not the mean of what each says."""
    return len(one.view.answers.seeds)


def _comparison(report: Report) -> Table:
    columns = ("baseline", "candidate", "difference", "low", "high", "p", "p_holm", "verdict")
    table: Table = [("experiment", "against", "split", "images", "metric", *columns)]
    document = report.comparison
    for candidate in document.candidates if document else ():
        for metric, its in candidate.metrics.items():
            values = (getattr(its, column) for column in columns)
            where = (document.baseline.title, document.split, document.images) if document else ()
            table.append((candidate.title, *where, metric, *values))
    return table


def _predictions(report: Report) -> Table:
    probabilities = tuple(f"probability_{name}" for name in CLASSES)
    table: Table = [
        (
            "experiment",
            "split",
            "image_id",
            "sha256",
            "group",
            "label",
            "called",
            "calibrated",
            *probabilities,
        )
    ]
    for one in report.judged:
        cases = one.view.cases
        for row, image_id in enumerate(cases.image_id):
            table.append(
                (
                    *(
                        one.sheet.named(one.view),
                        one.view.split,
                        image_id,
                        cases.sha256[row],
                        int(cases.group[row]),
                    ),
                    *(CLASSES[cases.label[row]], CLASSES[cases.called[row]], cases.temperature is not None),
                    *(float(value) for value in cases.probabilities[row]),
                )
            )
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
            accuracy, miss, apart = its.accuracy, its.miss_rate, its.difference
            table.append(
                (
                    *(
                        one.sheet.named(one.view),
                        one.view.split,
                        its.attribute,
                        its.value,
                        its.n,
                        its.groups,
                        its.few,
                    ),
                    *(its.errors, accuracy.value, accuracy.low, accuracy.high),
                    *(miss.value, miss.low, miss.high),
                    *(apart.value, apart.low, apart.high, apart.p, apart.p_holm),
                )
            )
    return table
