"""The CSV files, as another program reads them."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from pyarrow import csv as csv_reader

from ctexp.core.classes import CLASSES
from ctexp.reports import tables
from ctexp.reports.build import Report


def test_every_table_is_read_back_with_all_its_digits(report: Report, tmp_path: Path) -> None:
    written = tables.write(report, tmp_path)
    assert [path.name for path in written] == [
        *("runs.csv", "metrics.csv", "per_class.csv", "comparison.csv", "predictions.csv", "slices.csv")
    ]
    read = {path.stem: csv_reader.read_csv(path).to_pylist() for path in written}
    assert len(read["runs"]) == 7
    assert {row["verdict"] for row in read["comparison"]} <= {"better", "worse", "undecided"}
    view = report.sheets[0].views["val"]
    mine = [row for row in read["predictions"] if (row["experiment"], row["split"]) == ("good", "val")]
    stored = np.array([[row[f"probability_{name}"] for name in CLASSES] for row in mine])
    assert np.array_equal(stored, view.cases.probabilities)
    assert [row["image_id"] for row in mine] == list(view.cases.image_id)
    (accuracy,) = (
        row
        for row in read["metrics"]
        if (row["experiment"], row["split"], row["metric"]) == ("good", "val", "accuracy")
    )
    assert accuracy["averaged"] == 3
    assert accuracy["value"] == view.summary["metrics"]["val/accuracy"]["value"]
    assert {row["attribute"] for row in read["slices"]} >= {"class", "confidence"}


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_text_starts_a_formula(cell: str) -> None:
    ((read,),) = csv.reader(io.StringIO(tables.text([[cell]]), newline=""))
    assert read == f"'{cell}"


def test_numbers_below_zero_stay_numbers_and_lines_end_as_the_standard_says() -> None:
    written = tables.text([("a", "b,c", 'say "x"'), (-0.5, None, True)])
    assert written == 'a,"b,c","say ""x"""\r\n-0.5,,true\r\n'
