"""The words of the analysis, when some of what the script names has failed or fell back."""

from pathlib import Path

import pytest

from ctexp.queue.attempting.finished import finished_words
from ctexp.queue.journal import Journal
from ctexp.queue.orders import Orders
from ctexp.queue.state import fold
from tests.queue.written import Writer, job, queue

STAMP = "20260101-000000"


@pytest.fixture
def night(tmp_path: Path) -> Writer:
    folds = job("folds", verb="cross-validate")
    names = ("base", "good", "bad", "mixed")
    return Writer(queue(tmp_path / "runs", [*(job(name, seed) for name in names for seed in (1, 2)), folds]))


def words(night: Writer, said: str) -> tuple[str, list[str]]:
    orders = Orders.read(night.queue.orders)
    found, left_out = finished_words(orders, fold(orders, Journal(night.queue.journal).read()), said.split())
    return " ".join(found), left_out


def test_a_name_stands_for_all_its_finished_runs(night: Writer) -> None:
    for one in ("base-s1", "base-s2", "good-s1"):
        night.done(one, run=f"night-{one[:-3]}_{STAMP}_abcde{one[-1]}")
    said = "inv compare-baselines --baseline night-base --candidate night-good"
    assert words(night, said) == (said, [])


def test_what_has_not_finished_is_left_out_and_said(night: Writer) -> None:
    night.done("base-s1", run=f"night-base_{STAMP}_abcdef")
    night.done("good-s1", run=f"night-good_{STAMP}_abcdef")
    night.start("bad-s1")
    night.end("bad-s1", state="failed", cause="other", run=f"night-bad_{STAMP}_abcdef")
    said = "inv compare-baselines --baseline night-base --candidate night-bad --candidate night-good"
    assert words(night, said) == (
        "inv compare-baselines --baseline night-base --candidate night-good",
        ["night-bad: nothing of it has finished"],
    )


def test_runs_of_a_fallback_are_compared_by_their_own_name(night: Writer) -> None:
    night.done("base-s1", run=f"night-base_{STAMP}_abcdef")
    night.done("mixed-s1", run=f"night-mixed-oom_{STAMP}_abcdef")
    night.done("mixed-s2", run=f"night-mixed_{STAMP}_abcdef")
    compared, _ = words(night, "inv compare-baselines --baseline night-base --candidate night-mixed")
    assert compared.endswith("--candidate night-mixed --candidate night-mixed-oom")
    assert words(night, "inv analyze-errors --run night-mixed") == (
        "inv analyze-errors --run night-mixed",
        ["night-mixed-oom: also finished, and left out"],
    )


def test_a_report_goes_without_a_baseline_that_failed(night: Writer) -> None:
    night.done("good-s1", run=f"night-good_{STAMP}_abcdef")
    assert words(night, "inv report --queue Q --baseline night-base") == (
        "inv report --queue Q",
        ["night-base: nothing of it has finished"],
    )


def test_no_report_of_a_queue_with_nothing_done(night: Writer) -> None:
    said = "inv report --queue Q --baseline night-base"
    assert words(night, said) == ("", ["no job of the queue is done"])


def test_a_cross_validation_is_named_by_its_id(night: Writer) -> None:
    night.done("folds-s1", run=f"night-folds_{STAMP}_abcdef")
    assert words(night, "inv analyze-errors --run night-folds")[0].endswith(
        f"--run night-folds_{STAMP}_abcdef"
    )


@pytest.mark.parametrize(
    "said",
    [
        "inv compare-baselines --baseline night-bad --candidate night-good",
        "inv compare-baselines --baseline night-good --candidate night-bad",
        "inv compare-baselines --baseline best --candidate night-bad",
        "inv analyze-errors --run night-bad",
    ],
)
def test_nothing_is_done_about_nothing(night: Writer, said: str) -> None:
    night.done("good-s1", run=f"night-good_{STAMP}_abcdef")
    assert words(night, said) == ("", ["night-bad: nothing of it has finished"])


def test_other_words_stay(night: Writer) -> None:
    night.done("good-s1", run=f"night-good_{STAMP}_abcdef")
    said = "inv compare-baselines --baseline baseline --candidate night-good"
    assert words(night, said) == (said, [])
    assert words(night, "inv report --queue night_x") == ("inv report --queue night_x", [])
