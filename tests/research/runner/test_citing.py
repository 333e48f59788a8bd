from pathlib import Path

import pytest

from ctexp.core import files
from ctexp.core.errors import DataError
from ctexp.record.run_dir import RunDir
from ctexp.research.figures import Cited
from ctexp.research.runner.citing import cite

HEADLINE = {"value": 0.5, "low": 0.4, "high": 0.6}
DETAIL = {"value": None, "low": None, "high": None, "method": "wilson"}


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    its = RunDir.create(tmp_path, "net")
    files.write_json(its.result, {"metrics": {"val/macro_f1": HEADLINE}})
    measured = {"val/macro_f1": HEADLINE | {"value": 0.7}, "val/recall_normal": DETAIL}
    files.write_json(its.metrics, {"splits": {"val": {"metrics": measured}}})
    return its


def test_a_headline_is_cited_from_what_never_changes_again(run: RunDir) -> None:
    figure = cite(run, "val_f1")
    assert (figure.value, figure.low, figure.high) == (0.5, 0.4, 0.6)
    assert figure.source == Cited(
        file=f"{run.id}/result.json",
        run=run.id,
        sha256=files.sha256_file(run.result),
        key=("metrics", "val/macro_f1"),
    )


def test_every_other_metric_is_cited_from_the_whole_table(run: RunDir) -> None:
    figure = cite(run, "val/recall_normal")
    assert figure.value is None
    assert isinstance(figure.source, Cited)
    assert figure.source.key == ("splits", "val", "metrics", "val/recall_normal")


def test_what_was_not_measured_is_told_by_name(run: RunDir) -> None:
    with pytest.raises(DataError, match="val/mcc was not measured"):
        cite(run, "val/mcc")
    with pytest.raises(DataError, match="train/macro_f1 was not measured"):
        cite(run, "train/macro_f1")
