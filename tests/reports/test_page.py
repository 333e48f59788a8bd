"""The page as text: what stands on it, that nothing on it can act, and that it stays the same."""

import re
import time
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ctexp.config import verdict
from ctexp.core.paths import ledger_file
from ctexp.data import catalog
from ctexp.evaluation import metrics
from ctexp.evaluation.mistakes import cases
from ctexp.record.ledger import Ledger, counted
from ctexp.record.look import Look
from ctexp.record.subjects import subject
from ctexp.reports import build, comparing, selection, statements
from ctexp.reports.build import Report
from ctexp.reports.charts.svg import WIDTH
from ctexp.reports.page.render import render
from ctexp.reports.sheets import View, read
from tests.project import git
from tests.reports.conftest import HOSTILE, MOMENT, add_run, report_of


def texts(report: Report, about: str) -> str:
    return "\n".join(f"{one.mark}: {one.text} {one.detail}" for one in report.verdict[about])


def test_the_verdict_says_who_is_better_and_whether_the_target_is_met(report: Report) -> None:
    assert report.lead.startswith("poor is worse than good by macro F1.")
    assert "worse: It is worse than good by macro F1." in texts(report, "poor")
    assert "The target, accuracy of at least 0.9 on test, is" in texts(report, "good")
    said = texts(report, "poor")
    assert (
        "on test, is not judged: the test split has not been looked at with it. On validation it is" in said
    )
    assert "not judged for poor" in report.lead
    assert "better: Right more often than always answering" in texts(report, "good")


def test_who_misses_most_cancers_is_told_so_first(report: Report) -> None:
    sheet = report.sheets[0]
    view = sheet.views["val"]
    missed = {"val/miss_rate": {"value": 1.0, "low": 0.9, "high": 1.0}}
    blind = replace(view, of_seeds=(), summary={**view.summary, "metrics": missed})
    first, *_ = statements.alone(replace(sheet, views={"val": blind}), report.settings)
    assert (first.mark, first.text[:6]) == ("missed", "Calls ")
    assert statements.alone(sheet, report.settings)[-1].mark == "note"


def test_an_interval_beyond_zero_without_a_verdict_says_why(report: Report) -> None:
    document = report.comparison
    assert document is not None
    (candidate, *_) = document.candidates
    its = candidate.metrics["macro_f1"].model_copy(update={"verdict": "undecided", "low": -0.5, "high": -0.1})
    one = candidate.model_copy(update={"metrics": dict(candidate.metrics) | {"macro_f1": its}})
    first = statements.compared(one, document)[0]
    assert first.text == "Not called different from good by macro F1."
    assert "Not called different: after correction for everything compared." in first.detail
    html = render(replace(report, comparison=document.model_copy(update={"candidates": (one,)})), MOMENT)
    assert "undecided</span><small>not called different: after correction" in html
    assert html.count("p is the larger of two tests, and corrected for everything compared (Holm)") == 1


def test_the_forest_plot_draws_a_raised_miss_rate_where_its_number_is(report: Report) -> None:
    assert report.comparison is not None
    candidate = report.comparison.candidates[0]
    only = {name: candidate.metrics[name] for name in ("miss_rate",)}
    assert (only["miss_rate"].difference or 0) > 0
    drawing = comparing.plot(candidate.model_copy(update={"metrics": only}), "good")
    assert drawing is not None
    svg = drawing.svg()
    (mark,) = re.findall(r'<path d="M([\d.]+) [^"]*" class="mark', svg)
    assert float(mark) > WIDTH / 2
    assert "← lower is better" in svg


def test_warnings_begin_with_what_is_broken_and_end_with_few_images(report: Report) -> None:
    assert "cannot be read" in report.warnings[0][1]
    few = [index for index, (_, text) in enumerate(report.warnings) if "rests on" in text]
    assert few == list(range(len(report.warnings) - len(few), len(report.warnings)))
    assert len({report.warnings[index][0] for index in few}) == len(few) > 0


def test_a_damaged_run_is_named_and_hides_no_other(report: Report) -> None:
    broken = report.sheets[2]
    assert broken.views == {}
    warnings = [text for about, text in report.warnings if about == broken.title]
    assert any("cannot be read as parquet" in text for text in warnings)
    assert [one.sheet.title for one in report.judged] == ["good", "good", "poor"]


def test_test_images_are_shown_only_where_their_figures_are_on_record(report: Report) -> None:
    good, poor, _ = report.sheets
    assert set(good.views) == {"val", "test"}
    assert set(poor.views) == {"val"}


def test_a_seed_whose_predictions_are_gone_is_told_and_the_others_speak(project: Path) -> None:
    report = report_of(project, "good")
    lost = report.sheets[0].subject.runs[0].predictions("val")
    kept = lost.read_bytes()
    try:
        lost.unlink()
        sheet = read(report.sheets[0].subject)
        assert len(sheet.views["val"].answers.seeds) == 2
        assert any("no such file" in problem for problem in sheet.problems)
    finally:
        lost.write_bytes(kept)


def test_the_worst_mistakes_have_pictures_and_missed_cancers_come_first(report: Report) -> None:
    poor = report.judged[2]
    assert poor.mistakes[0].missed_cancer
    assert all(one.picture.startswith("data:image/jpeg;base64,") for one in poor.mistakes)
    assert sum(one.missed_cancer for one in poor.mistakes) == min(
        len(poor.mistakes), int((poor.view.cases.wrong & (poor.view.cases.called == 3)).sum())
    )


def test_an_image_that_changed_since_is_not_shown(project: Path) -> None:
    report = report_of(project, "poor")
    shown = report.judged[0].mistakes[0].image_id
    file = project / "data" / "raw" / "tiny" / shown
    kept = file.read_bytes()
    try:
        file.write_bytes(kept + b" ")
        (again,) = [one for one in report_of(project, "poor").judged[0].mistakes if one.image_id == shown]
        assert (again.picture, again.lacking) == ("", "another image has this name now")
        file.unlink()
        (gone,) = [one for one in report_of(project, "poor").judged[0].mistakes if one.image_id == shown]
        assert (gone.picture, gone.lacking) == ("", "the file is gone or damaged")
    finally:
        file.write_bytes(kept)


def test_words_of_users_stay_words(page: Path) -> None:
    html = page.read_text()
    assert HOSTILE not in html
    assert "&lt;/script&gt;&lt;script&gt;document.title=" in html
    assert html.count("<script") == 3  # ours


class Attributes(HTMLParser):
    """What could make a browser fetch something, and what could make it run something."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: set[str] = set()
        self.run: set[str] = set()

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"src", "srcset", "href", "xlink:href", "action", "data", "poster"}:
                self.fetched.add((value or "")[:5])
            if name.startswith("on"):
                self.run.add(name)


def test_nothing_on_the_page_names_the_network(page: Path) -> None:
    found = Attributes()
    found.feed(page.read_text())
    assert {value for value in found.fetched if not value.startswith("#")} == {"data:"}
    assert found.run == set()
    assert "default-src 'none'" in page.read_text()
    style = page.read_text().partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style


def test_headings_go_down_one_by_one_and_every_link_leads_somewhere(page: Path) -> None:
    html = page.read_text()
    levels = [int(level) for level in re.findall(r"<h([1-6])", html)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    anchors = re.findall(r'href="#([\w-]+)"', html)
    assert len(anchors) > 10
    assert all(f'id="{anchor}"' in html for anchor in anchors)
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))


def test_the_same_records_give_the_same_page_but_for_its_date(project: Path, report: Report) -> None:
    first = render(report_of(project, "good", "poor", "broken"), MOMENT)
    assert first == render(report, MOMENT)
    later = render(report, MOMENT + timedelta(days=1))
    assert first.replace("2026-11-21T12:00:00.000Z", "2026-11-22T12:00:00.000Z") == later


def test_one_experiment_alone_has_a_page_without_comparison(project: Path) -> None:
    report = report_of(project, "poor")
    html = render(report, MOMENT)
    assert report.comparison is None
    assert 'id="comparison"' not in html
    assert 'id="threshold"' in html


def test_with_nothing_to_judge_the_page_says_so(project: Path) -> None:
    report = report_of(project, "broken")
    html = render(report, MOMENT)
    assert 'id="threshold"' not in html
    assert "no predictions can be read: there is nothing to judge" in html


def test_a_validation_split_without_normal_images_has_no_threshold(report: Report) -> None:
    judged = report.judged[2]
    rows = np.flatnonzero(judged.view.cases.cancer)
    answers = judged.view.answers
    few = answers.of([answers.joint.image_id[row] for row in rows])
    view = View(few, cases.of(few), metrics.summarise(few.joint, "val", resamples=50))
    sheet = replace(judged.sheet, views={"val": view})
    alone = replace(
        report,
        sheets=[sheet],
        judged=[replace(judged, sheet=sheet, view=view)],
        comparison=None,
        verdict={"poor": []},
    )
    assert "no normal image of validation to choose it by" in render(alone, MOMENT)


def test_a_look_that_was_taken_out_of_the_ledger_is_told(project: Path) -> None:
    ledger = Ledger(ledger_file(project))
    look = Look(
        seq=1,
        time="2026-11-21T05:04:17.123Z",
        kind="evaluate",
        dataset="tiny",
        catalog_sha256=catalog.load(project / "data", "tiny").sha256,
        split_sha256=(),
        subjects=("good",),
        images=8,
    )
    ledger.append(look)
    git(project, "add", "--force", str(ledger.path))
    git(project, "commit", "--quiet", "--message=look")
    try:
        ledger.append(look.model_copy(update={"kind": "cross-validation", "subjects": ("cv",)}))
        ledger.append(look.model_copy(update={"kind": "compare"}))
        (line,) = report_of(project, "good").looks
        assert counted(ledger, "tiny", look.catalog_sha256) in line
        assert "look 2 at the test split of tiny; 1 cross-validation has judged images of it" in line
        assert "last look on 2026-11-21 to compare" in line
        ledger.path.write_text("")
        told = [text for about, text in report_of(project, "good").warnings if about == "test ledger"]
        assert any("was committed and is gone" in text for text in told)
    finally:
        git(project, "reset", "--quiet", "--hard", "HEAD~1")


@pytest.mark.slow
def test_twenty_runs_take_seconds_and_stay_under_ten_megabytes(project: Path) -> None:
    for number in range(20):
        add_run(project, f"night{number}", 1, 1.0, overrides=(f"data.batch_size={number + 2}",))
    begin = time.process_time()
    html = render(report_of(project, *(f"night{number}" for number in range(20))), MOMENT)
    assert time.process_time() - begin < 20
    assert len(html.encode()) < 10_000_000


def test_a_name_that_was_trained_again_since_it_is_the_baseline_is_not_mistaken_for_it(
    project: Path,
) -> None:
    runs = project / "runs"
    good = subject(runs, "good")
    before = replace(good, said="baseline", runs=good.runs[:2])
    chosen = selection.select(runs, ("good", good.runs[0].id), None, None, now=MOMENT)
    settings = verdict.load(project)
    made = build.build(chosen, before, root=project, data=project / "data", altered=(), settings=settings)
    again = f"good ({good.runs[-1].id})"
    assert [sheet.title for sheet in made.sheets] == ["good", again]  # its own run beside it says nothing
    assert set(made.verdict) == {"good", again}
