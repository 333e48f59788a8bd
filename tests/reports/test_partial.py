"""Two seeds of which one alone has test figures: its answers are its own, at a threshold of its own."""

import csv
import io
from pathlib import Path

import pytest

from ctexp.evaluation.operating import threshold_at
from ctexp.record.subjects import subject
from ctexp.reports import sheets, tables
from ctexp.reports.build import Report
from ctexp.reports.page import panel
from ctexp.reports.page.render import render
from tests.project import add_tiny_set, make_project
from tests.reports.conftest import MOMENT, add_run, report_of

NAMED = "half (1 of 2 seeds)"


@pytest.fixture(scope="module")
def partial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_project(tmp_path_factory.mktemp("partial") / "project")
    add_tiny_set(folder, val=120)
    add_run(folder, "half", 1, 1.0, test=True)
    add_run(folder, "half", 2, 1.0)
    return folder


@pytest.fixture(scope="module")
def report(partial: Path) -> Report:
    return report_of(partial, "half")


def judged(partial: Path) -> Path:
    """The run that has test answers."""
    (path,) = (partial / "runs").glob("half_*/predictions_test.parquet")
    return path.parent


def test_the_threshold_is_chosen_by_the_seed_whose_test_answers_are_shown(
    partial: Path, report: Report
) -> None:
    alone, whole = (
        sheets.read(subject(partial / "runs", said)).views["val"].calibrated
        for said in (judged(partial).name, "half")
    )
    specificity = report.settings.specificity
    starts = {(one["title"], one["split"]): one for one in panel.panel(report)["starts"]}
    own, joint = threshold_at(alone, specificity), threshold_at(whole, specificity)
    assert own != joint
    assert starts[NAMED, "test"]["point"].threshold == own
    assert "by the same seeds alone" in starts[NAMED, "test"]["origin"]
    assert starts["half", "val"]["point"].threshold == joint


def test_a_threshold_is_not_borrowed_from_other_seeds(partial: Path) -> None:
    gone = judged(partial) / "predictions_val.parquet"
    kept = gone.read_bytes()
    try:
        gone.unlink()
        starts = panel.panel(report_of(partial, "half"))["starts"]
        (test,) = [one for one in starts if one["split"] == "test"]
        assert test["threshold_text"] == "above all"
        assert test["origin"] == "not chosen: not all of these seeds have answers on validation"
    finally:
        gone.write_bytes(kept)


def test_the_view_is_named_for_what_it_is_everywhere(report: Report) -> None:
    html = render(report, MOMENT)
    for section in ("operating", "confusion", "calibration", "ranking", "mistakes", "slices"):
        part = html.partition(f'id="{section}"')[2].partition("</section>")[0]
        assert f"{NAMED} · test" in part.replace("</th><td>", " · "), section
        assert "half · test" not in part
        assert part.count("Answers of the 2 seeds averaged; the tables above are means") == 1
    for name in ("metrics", "per_class", "predictions", "slices"):
        rows = csv.DictReader(io.StringIO(tables.text(tables.tables(report)[name]), newline=""))
        found = {(row["experiment"], row["split"]) for row in rows}
        assert found == {("half", "val"), (NAMED, "test")}, name


def test_a_target_on_half_of_the_seeds_is_not_judged(report: Report) -> None:
    (its,) = [one for one in report.verdict["half"] if one.text.startswith("The target")]
    assert its.mark == "undecided"
    assert its.text.endswith("on test, is not judged: only 1 of 2 seeds have test figures.")
    assert report.lead.endswith("is not judged for half.")
