"""The page of a sweep: what stands on it, in a real browser, on a phone, in the dark and on paper."""

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page

from ctexp.reports.charts.axes import Axis
from ctexp.reports.charts.svg import WIDTH
from ctexp.reports.sweeps import courses, pictures
from ctexp.reports.sweeps.render import render
from ctexp.reports.sweeps.study import Study, study
from ctexp.sweeps.reading import importance
from ctexp.sweeps.space import Values
from tests.browser import CHROMIUM, started
from tests.reports.test_browser import CONTRASTS
from tests.sweeps.reading.samples import FILE, a_sweep, a_trial, searched, trained

MOMENT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOSTILE = "</script><script>document.title='taken'</script><img src=http://example.org/x onerror=alert(1)>"


def worth(values: Values) -> float:
    lr = values["optimizer.lr"]
    assert isinstance(lr, float)
    return 0.8 - 0.05 * (math.log10(lr) + 3.2) ** 2 + 0.02 * (values["loss"] == "focal")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Forty trials; the runs of the best two are there, one trial failed with a word of somebody's."""
    its = a_sweep(tmp_path_factory.mktemp("sweep") / "runs")
    rows = searched(its, 40, worth, 0.012)
    for row in replace(its, rows=tuple(rows)).ranked[:2]:
        rows[row.number] = replace(row, runs=trained(its.runs, row.number, row.values, 2.0).runs)
    rows[12] = replace(rows[12], problem=HOSTILE, agent=HOSTILE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importance, "FORESTS", 2)
        return study(replace(its, rows=tuple(rows)), 0.05, MOMENT)


@pytest.fixture(scope="module")
def page(told: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "sweep.html"
    path.write_text(render(told), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def tab(page: Path) -> Iterator[Page]:
    """The page on a desktop, where a word on the console or a request is a failure."""
    if CHROMIUM is None:
        pytest.skip("no chromium or google-chrome on PATH")
    heard: list[str] = []
    with started() as browser:
        opened = browser.new_page(viewport={"width": 1280, "height": 900})
        opened.on("console", lambda message: heard.append(message.text))
        opened.on("pageerror", lambda error: heard.append(str(error)))
        opened.on("request", lambda its: heard.append(its.url) if its.url != page.as_uri() else None)
        opened.goto(page.as_uri())
        yield opened
    assert [word for word in heard if not word.startswith("data:")] == []


def test_it_says_first_what_is_not_established_and_why(told: Study) -> None:
    html = render(told)
    found = told.standing
    assert found is not None
    assert found.rival is not None
    lead = re.search(r'class="lead">([^<]+)<', html)
    assert lead is not None
    assert f"Trial {found.best.number} looks best of {found.trials}." in lead[1]
    assert "is not established" in lead[1]
    assert "was chosen by its luck too" in html
    assert f"scripts/inv plan --from {told.summary.id}" in html
    assert told.summary.best is not None
    assert f"optimizer.lr={told.summary.best.words[0].partition('=')[2]}" in html
    assert render(told) == html


def test_words_of_others_stay_words(told: Study) -> None:
    html = render(told)
    assert HOSTILE not in html
    assert html.count("<script>") == 1
    assert "&lt;img src=http://example.org/x" in html


def test_every_trial_has_a_row_and_every_picture_is_described(told: Study) -> None:
    html = render(told)
    assert len(re.findall(r'<tr><th scope="row">\d+</th><td>(?:finished|pruned|failed)</td>', html)) == 40
    assert html.count("<svg") == html.count("<desc>") == 8
    best = told.opened.ranked[0]
    assert f"the best is trial {best.number} with {best.value:.4f}" in html


def test_a_section_or_column_without_content_takes_no_room(told: Study) -> None:
    html = render(told)
    assert '<h2 id="pruned">' in html
    assert ">about it<" in html
    assert ">attempts<" not in html
    plain = [replace(row, error=None) for row in told.opened.ranked]
    opened = replace(told.opened, rows=tuple(plain))
    html = render(replace(told, opened=opened, status=replace(told.status, counts={"finished": len(plain)})))
    assert "Pruned trials" not in html
    assert "; no trial was pruned" in html
    assert ">about it<" not in html
    assert ">standard error<" not in html


def test_no_line_of_a_trial_crosses_a_word_of_the_parallel_coordinates(told: Study) -> None:
    drawing = pictures.coordinates(told.opened)
    assert drawing is not None
    svg = drawing.svg()
    assert svg.rindex('class="course') < svg.index('class="ground"')
    assert svg.count("<text") == svg.count('class="ground"') > 4
    assert "the thick orange one the best" in render(told)


def test_dots_lie_where_their_values_are_and_on_the_sheet(told: Study) -> None:
    opened = told.opened
    drawing = pictures.history(opened)
    assert drawing is not None
    places = [float(x) for x in re.findall(r'<path d="M([\d.]+) ', drawing.svg())]
    assert all(0 <= x <= WIDTH for x in places)
    svg = pictures.slices(opened)[0].svg()
    dots = re.findall(r'<path d="M([\d.]+) [^"]*" class="mark (s\d)"', svg)
    assert len(dots) == len(opened.ranked)
    by_lr = sorted(opened.ranked, key=lambda row: float(str(row.values["optimizer.lr"])))
    assert [kind for _, kind in sorted(dots, key=lambda its: float(its[0]))].index("s1") == by_lr.index(
        opened.ranked[0]
    )
    pruned = courses.epochs(opened)
    assert pruned is not None
    count = sum(row.state == "pruned" for row in opened.rows)
    assert pruned.title == f"{count} trials pruned, 29 not, of the first training of each"


def test_a_log_axis_has_round_ticks_and_equal_factors_apart() -> None:
    axis = Axis("lr", 1e-5, 1e-2, log=True)
    assert axis.ticks() == pytest.approx([1e-5, 1e-4, 1e-3, 1e-2])
    assert axis.share(1e-4) == pytest.approx(1 / 3)
    assert Axis("lr", 0.9, 2.1, log=True).ticks() == [1.0, 2.0]
    assert len(Axis("lr", 1e-9, 1e9, log=True).ticks()) <= 6


def test_a_sweep_without_trials_and_one_of_constants_have_pages(tmp_path: Path) -> None:
    empty = a_sweep(tmp_path / "runs")
    html = render(study(empty, 0.05, MOMENT))
    assert "No trial has finished: nothing can be said yet." in html
    file = FILE.replace("{min: 0.0, max: 0.1}", "{value: 0.1}")
    single = a_sweep(tmp_path / "runs", [a_trial(0, {"loss": "focal", "optimizer.lr": 1e-3}, 0.0)], file)
    assert "there is nothing to choose from yet" in render(study(single, 0.05, MOMENT))


def test_it_opens_silently_and_names_all_that_is_not_text(tab: Page) -> None:
    assert tab.title() == "Sweep lr_wd"
    assert tab.evaluate("[...document.querySelectorAll('.wide')].every((it) => it.tabIndex === 0)")
    for landmark in ("header", "nav", "main", "footer"):
        assert tab.locator(landmark).count() == 1
    broken = "[...document.querySelectorAll('nav a')].filter((it) => !document.querySelector(it.hash)).length"
    assert tab.evaluate(broken) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_stands_out_from_its_ground(tab: Page, scheme: str) -> None:
    tab.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    ground = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") == (scheme == "light")
    assert tab.evaluate(CONTRASTS) == []
    tab.emulate_media(color_scheme="light")


def test_on_a_phone_only_tables_scroll_sideways(tab: Page) -> None:
    tab.set_viewport_size({"width": 390, "height": 844})
    width, inner = tab.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    outside = tab.evaluate(
        "[...document.querySelectorAll('main *')].filter((it) => !it.closest('.wide') && !it.closest('svg')"
        " && it.getBoundingClientRect().right > innerWidth + 1).map((it) => it.outerHTML.slice(0, 80))"
    )
    parameter = "document.querySelector('[aria-label=\"The best trials\"] th:nth-child(4)')"
    seen = tab.evaluate(f"{parameter}.getBoundingClientRect().right <= innerWidth")
    rows = "document.querySelectorAll('[aria-label=\"The best trials\"] tbody tr')"
    heights = tab.evaluate(f"[...{rows}].map((it) => it.offsetHeight)")
    tab.set_viewport_size({"width": 1280, "height": 900})
    assert seen, "the table shows no parameter"
    assert max(heights) < 45  # one line
    assert width <= inner
    assert outside == []


def test_on_paper_nothing_is_folded_and_it_is_light(tab: Page, tmp_path: Path) -> None:
    tab.emulate_media(media="print", color_scheme="dark")
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not tab.is_visible("nav")
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert tab.evaluate("[...document.querySelectorAll('details')].every((it) => it.open)")
    assert tab.pdf(path=str(tmp_path / "page.pdf")).startswith(b"%PDF")
    tab.emulate_media(media="screen", color_scheme="light")
