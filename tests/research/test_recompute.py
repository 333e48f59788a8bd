"""Figures from the files they cite: the very file, the very key, the very number."""

from pathlib import Path
from typing import Any

import pytest

from ctexp.core import files
from ctexp.research import deriving
from ctexp.research.figures import Cited, Derived, Figure, Step
from ctexp.research.recompute import Altered, Gone, Recomputing, equal
from tests.judged import refusal

TEXTS = {
    "results.json": '{"auc": {"value": 0.91, "low": 0.88, "high": 0.93}, "n": 72, "list": [1, null, true]}',
    "results.yaml": "auc: {value: 0.91, low: 0.88, high: 0.93}\nn: 72\nlist: [1, null, true]\n",
}


def cited(root: Path, key: tuple[Step, ...], name: str = "results.json", **changes: Any) -> Figure:
    file = root / name
    file.write_text(TEXTS[name])
    source = Cited(file=name, sha256=files.sha256_file(file), key=key)
    return Figure(**{"value": None, "source": source} | changes)


@pytest.mark.parametrize("name", TEXTS)
def test_a_number_is_read_with_its_interval_or_alone(tmp_path: Path, name: str) -> None:
    recomputing = Recomputing(tmp_path, tmp_path / "runs")
    whole = recomputing.figure(cited(tmp_path, ("auc",), name))
    assert (whole.value, whole.low, whole.high) == (0.91, 0.88, 0.93)
    alone = recomputing.figure(cited(tmp_path, ("n",), name))
    assert (alone.value, alone.low, alone.high) == (72.0, None, None)
    assert recomputing.figure(cited(tmp_path, ("list", 0), name)).value == 1.0


@pytest.mark.parametrize("key", [("list", 1), ("list", 2)])
def test_what_is_no_number_is_undefined(tmp_path: Path, key: tuple[Step, ...]) -> None:
    assert Recomputing(tmp_path, tmp_path).figure(cited(tmp_path, key)).value is None


@pytest.mark.parametrize("key", [("acc",), ("list", 3), ("list", "x"), ("n", "value")])
def test_a_key_that_is_not_there_is_told(tmp_path: Path, key: tuple[Step, ...]) -> None:
    figure = cited(tmp_path, key)
    assert "results.json: has no" in refusal(lambda: Recomputing(tmp_path, tmp_path).figure(figure), Altered)


def test_another_file_and_no_file_are_told_apart(tmp_path: Path) -> None:
    figure = cited(tmp_path, ("n",))
    (tmp_path / "results.json").write_text(TEXTS["results.json"] + "\n")
    assert "cited as" in refusal(lambda: Recomputing(tmp_path, tmp_path).figure(figure), Altered)
    (tmp_path / "results.json").unlink()
    refused = refusal(
        lambda: Recomputing(tmp_path, tmp_path).figure(deriving.derived("mean", [figure])), Gone
    )
    assert "results.json: missing" in refused


def test_a_name_that_no_file_can_have_and_a_number_beyond_all_floats_are_no_figure(tmp_path: Path) -> None:
    (tmp_path / "big.json").write_text('{"n": 1' + "0" * 400 + "}")
    digest = files.sha256_file(tmp_path / "big.json")
    found = Recomputing(tmp_path, tmp_path).figure(
        Figure(value=1.0, source=Cited(file="big.json", sha256=digest, key=("n",)))
    )
    assert found.value is None
    nowhere = Figure(value=1.0, source=Cited(file="a" * 5000, sha256=digest, key=("n",)))
    assert "cannot be read" in refusal(lambda: Recomputing(tmp_path, tmp_path).figure(nowhere), Gone)


def test_files_are_held_to_every_digit_and_arithmetic_to_those_that_machines_share(tmp_path: Path) -> None:
    said = cited(tmp_path, ("auc",), value=0.91, low=0.88, high=0.93)
    other = said.model_copy(update={"low": 0.88 * (1 + 1e-13)})
    assert equal(said, Recomputing(tmp_path, tmp_path).figure(said))
    assert not equal(said, other)
    mean = deriving.derived("mean", [Figure(value=0.5), Figure(value=0.7)])
    assert equal(mean, mean.model_copy(update={"value": 0.6 + 1e-12}))
    assert not equal(mean, mean.model_copy(update={"value": 0.6 + 1e-6}))
    assert not equal(mean, mean.model_copy(update={"low": None, "high": None}))


def test_what_was_measured_is_never_counted(tmp_path: Path) -> None:
    said = cited(tmp_path, ("n",), value=72.0, exact=True)
    assert not equal(said, Recomputing(tmp_path, tmp_path).figure(said))
    mean = deriving.derived("mean", [deriving.count(1), deriving.count(2)])
    assert not equal(mean.model_copy(update={"exact": True}), Recomputing(tmp_path, tmp_path).figure(mean))


def test_a_formula_that_takes_other_figures_is_told(tmp_path: Path) -> None:
    source = Derived(formula="difference", of=(deriving.count(1),))
    figure = Figure(value=1.0, source=source)
    refused = refusal(lambda: Recomputing(tmp_path, tmp_path).figure(figure), Altered)
    assert "takes two figures" in refused


def test_a_cited_file_that_is_no_document_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    source = Cited(file="a.json", sha256=files.sha256_file(tmp_path / "a.json"), key=("x",))
    figure = Figure(value=1.0, source=source)
    assert "JSON" in refusal(lambda: Recomputing(tmp_path, tmp_path).figure(figure), Altered)
