"""What `cross-validate` prints: how each fold fared, and what all of them say together."""

import contextlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table

from ctexp.cli.tables import plain
from ctexp.core import screen
from ctexp.core.paths import shown
from ctexp.record.cross_validation import CrossValidation


def text(record: CrossValidation, document: Mapping[str, Any] | None, path: Path) -> str:
    """What is printed and kept as `summary.txt`."""
    written = io.StringIO()
    with contextlib.redirect_stdout(written):
        screen.print_table(_table(record))
        if document is not None:
            print()
            screen.print_table(_metrics(document))
            print(_calibration(document))
            for note in document["splits"]["oof"]["notes"]:
                print(f"note: {note}")
        print(f"written to {shown(path)}")
    return written.getvalue()


def _table(record: CrossValidation) -> Table:
    table = plain("fold:", "seed:", "run", "state", "val/macro_f1:", "val/accuracy:", "minutes:")
    for member in record.members:
        measured = [member.metrics.get(name) for name in ("val/macro_f1", "val/accuracy")]
        table.add_row(
            str(member.fold),
            str(member.seed),
            member.run_id or "",
            member.state,
            *(_number(metric.value if metric else None) for metric in measured),
            "" if member.seconds is None else f"{member.seconds / 60:.1f}",
        )
    return table


def _metrics(document: Mapping[str, Any]) -> Table:
    """The out-of-fold metrics with their intervals, and beside them the spread over folds and seeds."""
    from ctexp.evaluation.metrics import headline

    table = plain("out of fold", "value:", "95 % interval:", "sd of folds:", "sd of seeds:")
    spread = document["spread"]
    for name, value, low, high in headline(document["splits"]["oof"]):
        interval = "" if low is None or high is None else f"{low:.3f} to {high:.3f}"
        metric = name.partition("/")[2]
        deviations = (_number(spread[over][metric]["sd"]) for over in ("folds", "seeds"))
        table.add_row(name, _number(value) or "undefined", interval, *deviations)
    return table


def _calibration(document: Mapping[str, Any]) -> str:
    scaled = document["splits"]["oof"]["calibrated"]
    ece = _number(scaled["metrics"]["oof/ece"]["value"])
    return f"calibrated by temperature {scaled['temperature']:.3g}: ece {ece}, fitted on these images"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
