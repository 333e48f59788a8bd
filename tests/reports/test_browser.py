"""The page in a real browser: silent, self-contained, operable, readable on a phone and on paper."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from ctexp.evaluation.operating import threshold_at
from ctexp.reports import operating, wording
from ctexp.reports.build import Report
from tests.browser import CHROMIUM, started

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium or google-chrome on PATH")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as browser:
        yield browser


@pytest.fixture
def opened(browser: Browser, page: Path) -> Iterator[Page]:
    """The page on a desktop, where a word on the console or a request is a failure."""
    yield from _open(browser, page, 1280, 900)


@pytest.fixture
def phone(browser: Browser, page: Path) -> Iterator[Page]:
    """The page on a phone, likewise."""
    yield from _open(browser, page, 390, 844)


def _open(browser: Browser, page: Path, width: int, height: int) -> Iterator[Page]:
    tab = browser.new_page(viewport={"width": width, "height": height})
    heard: list[str] = []
    tab.on("console", lambda message: heard.append(f"{message.type}: {message.text}"))
    tab.on("pageerror", lambda error: heard.append(str(error)))
    tab.on(
        "request", lambda request: None if request.url == page.as_uri() else heard.append(request.url[:90])
    )
    tab.goto(page.as_uri())
    tab.wait_for_selector("html[data-ready=yes]")
    yield tab
    assert [word for word in heard if not word.startswith("data:")] == []
    tab.close()


def shown(tab: Page) -> tuple[str, str, str, str, str, str]:
    """Sensitivity, specificity, their intervals, missed cancers and false alarms as they stand there."""
    names = ("sensitivity", "sensitivity-bounds", "specificity", "specificity-bounds", "missed", "alarms")
    return tuple(tab.inner_text(f"#{name}") for name in names)  # type: ignore[return-value]


def expected(point: operating.OperatingPoint) -> tuple[str, str, str, str, str, str]:
    found, spared = point.sensitivity, point.specificity
    return (
        *(wording.percent(found.value), wording.bounds(found)),
        *(wording.percent(spared.value), wording.bounds(spared)),
        *(str(point.missed), str(point.alarms)),
    )


def test_it_opens_silently_with_its_pictures(opened: Page) -> None:
    assert opened.title() == "Verdict on 3 experiments"
    opened.evaluate("document.querySelectorAll('img').forEach((it) => it.loading = 'eager')")
    sizes = opened.evaluate("[...document.images].map((it) => [it.complete, it.naturalWidth])")
    assert len(sizes) > 10
    assert all(complete and width > 0 for complete, width in sizes)


def test_the_slider_starts_at_the_threshold_of_validation(opened: Page, report: Report) -> None:
    view = report.sheets[0].views["val"]
    threshold = threshold_at(view.calibrated, report.settings.specificity)
    assert threshold is not None
    assert opened.inner_text("#threshold-value") == f"{threshold:.4f}"
    assert shown(opened) == expected(operating.at(view.cases.cancer, view.score, view.cases.group, threshold))


def test_every_position_shows_the_numbers_that_python_finds(opened: Page, report: Report) -> None:
    for index, one in enumerate(report.judged):
        opened.select_option("#view", str(index))
        view = one.view
        chosen = one.sheet.chosen
        assert chosen is not None
        start = threshold_at(chosen.calibrated, report.settings.specificity)
        points = sorted({*view.score.tolist(), start, operating.NOTHING})
        assert opened.get_attribute("#threshold", "max") == str(len(points) - 1)
        seen = set()
        for place in range(0, len(points), max(1, len(points) // 17)):
            opened.evaluate(
                "place => { const it = document.getElementById('threshold');"
                "it.value = place; it.dispatchEvent(new Event('input')); }",
                place,
            )
            at = operating.at(view.cases.cancer, view.score, view.cases.group, points[place])
            assert shown(opened) == expected(at), (one.sheet.title, view.split, place)
            seen.add(shown(opened))
        assert len(seen) > 5


def test_the_keyboard_alone_moves_it_and_says_what_happens(opened: Page) -> None:
    opened.select_option("#view", label="poor · validation")
    opened.focus("#view")
    opened.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.id") == "threshold"
    before, dot = shown(opened), opened.get_attribute("#roc-here", "cx")
    for _ in range(8):
        opened.keyboard.press("PageDown")
    after = shown(opened)
    assert int(after[4]) < int(before[4])  # a lower threshold misses fewer cancers
    assert int(after[5]) > int(before[5])  # and alarms more often
    assert opened.get_attribute("#roc-here", "cx") != dot
    assert "cancers missed" in (opened.get_attribute("#threshold", "aria-valuetext") or "")
    opened.locator("#announcement", has_text="false alarms").wait_for(state="attached")
    opened.keyboard.press("Tab")
    opened.keyboard.press("Enter")
    assert shown(opened) == before
    opened.focus("#threshold")
    opened.keyboard.press("End")
    assert opened.inner_text("#threshold-value") == "above all"
    assert opened.inner_text("#sensitivity") == "0.0 %"


def test_on_a_phone_only_tables_scroll_sideways(phone: Page) -> None:
    width, inner = phone.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= inner
    outside = phone.evaluate(
        "[...document.querySelectorAll('main *')].filter((it) => !it.closest('.wide') && !it.closest('svg')"
        " && it.getBoundingClientRect().right > innerWidth + 1).map((it) => it.outerHTML.slice(0, 80))"
    )
    assert outside == []
    small = phone.evaluate(
        "[...document.querySelectorAll('input, select, button')]"
        ".map((it) => it.getBoundingClientRect().height)"
    )
    assert min(small) >= 44


def test_on_paper_controls_are_gone_figures_stay_and_nothing_is_folded(opened: Page, tmp_path: Path) -> None:
    opened.emulate_media(media="print")
    assert not opened.is_visible("#threshold")
    assert not opened.is_visible("nav")
    assert opened.is_visible("#sensitivity")
    assert opened.is_visible("#confusion")
    opened.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert opened.evaluate("[...document.querySelectorAll('details')].every((it) => it.open)")
    printed = opened.pdf(path=str(tmp_path / "page.pdf"))
    assert printed.startswith(b"%PDF")


def test_what_is_not_text_has_a_name_and_landmarks_are_there(opened: Page) -> None:
    nameless = opened.evaluate(
        """[...document.querySelectorAll('img, svg, input, select, button, [role=region]')].filter((it) =>
          !(it.getAttribute('alt') || it.getAttribute('aria-label') || it.textContent.trim()
            || it.labels?.length)).map((it) => it.outerHTML.slice(0, 80))"""
    )
    assert nameless == []
    assert opened.evaluate("document.documentElement.lang") == "en"
    for landmark in ("header", "nav", "main", "footer"):
        assert opened.locator(landmark).count() == 1
    assert opened.evaluate("[...document.querySelectorAll('svg')].every((it) => it.querySelector('desc'))")
    assert opened.evaluate("[...document.querySelectorAll('.wide')].every((it) => it.tabIndex === 0)")


CONTRASTS = """() => {
  const parse = (text) => { const v = text.match(/[\\d.]+/g).map(Number);
    return [...v.slice(0, 3), v[3] ?? 1]; };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
  const light = (rgb) => { const [r, g, b] = rgb.map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = (node) => { const layers = [];
    for (let it = node; it; it = it.parentElement) layers.push(parse(getComputedStyle(it).backgroundColor));
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]); };
  const poor = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const it = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || it.closest('script, style, title, desc')) continue;
    const style = getComputedStyle(it), below = ground(it);
    const ink = over(parse(it.closest('svg') ? style.fill : style.color), below);
    const [a, b] = [light(ink), light(below)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) poor.push([ratio.toFixed(2), it.tagName, it.className.baseVal ?? it.className,
      walker.currentNode.textContent.slice(0, 30)]);
  }
  return poor;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_stands_out_from_its_ground(opened: Page, scheme: str) -> None:
    opened.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    assert opened.evaluate(CONTRASTS) == []
