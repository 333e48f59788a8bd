import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ctexp.core.classes import CLASSES
from ctexp.data.audit.findings import (
    Answer,
    Baseline,
    Comparison,
    CopyGroup,
    Counts,
    Estimate,
    Findings,
    Integrity,
    Leak,
    Member,
    Names,
    Patients,
    Problem,
    Rare,
    Shortcuts,
    Telling,
)
from ctexp.data.audit.page import GROUPS_SHOWN, MEMBERS_SHOWN, render
from tests.browser import CHROMIUM

JPEG = bytes.fromhex(
    "ffd8ffe000104a46494600010100000100010000ffdb004300ffffffffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc0000b0800010001"
    "01011100ffc40014000100000000000000000000000000000003ffc40014100100000000000000000000000000000000ffda"
    "0008010100003f0037ffd9"
)
LONG = "train/normal/" + "x" * 180 + ".png"
HOSTILE = "test/normal/<script>alert('1')</script>&\"b.png"


def findings(groups: int = 2, members: int = 2) -> Findings:
    """Findings of every kind."""
    sure = Estimate(0.9, 0.85, 0.95, True, few=False)
    unsure = Estimate(0.5, 0.4, 0.6, False, few=True)
    table = {split: dict.fromkeys(CLASSES, 1_234) for split in ("train", "val", "test")}
    inside = [Member(HOSTILE, "test", "normal", False), Member(LONG, "train", CLASSES[0], True)]
    copies = CopyGroup("g", "near", 0.91, ("train", "test"), CLASSES[:2], tuple((inside * members)[:members]))
    return Findings(
        dataset="mine",
        synthetic=False,
        catalog_sha256="0" * 64,
        fingerprint="1" * 64,
        images=3_702,
        examined=3_700,
        integrity=Integrity(
            (Problem(HOSTILE, "missing", "no such file"), Problem(LONG, "changed", "<b>")),
            {LONG: "damaged"},
            {"RGB": 3_000, "P": 702},
            {"png": 3_702},
        ),
        counts=Counts(table, table, (Rare("test", "normal", 9, 5, 3),)),
        copies=(copies,) * groups,
        leaks=(Leak("test", "normal", 54, 46, 19, 2, 2, 1),),
        test_in_val=5,
        patients=Patients(5, 2, {"<p>": ("train", "test")}),
        names=Names(3, {"1": 2}, ((HOSTILE, LONG),)),
        shortcuts=Shortcuts(
            90,
            200,
            {},
            "",
            (
                Baseline("all metadata", ("width",), (Answer("class", sure, 0.3, sure),)),
                Baseline("size", ("width",), (Answer("cancer", unsure, 0.3, unsure),)),
            ),
        ),
        shift=(
            Comparison("test", "all", 10, 10, "", sure, (Telling("width", 0.9, 10.0, 20.25),)),
            Comparison("test", "normals", 10, 3, "there are 3", None, ()),
        ),
        unknown={"patient": "patient is not known: leaks cannot be assessed"},
    )


PICTURES = {HOSTILE: JPEG, LONG: JPEG}


class Tags(HTMLParser):
    """The tags of a page, and what its attributes load."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in {"src", "href", "srcset"}]


def test_the_page_stands_alone_and_shows_hostile_names_as_text() -> None:
    page = render(findings(), PICTURES)
    parsed = Tags()
    parsed.feed(page)
    assert not {"script", "link", "iframe"} & set(parsed.tags)
    assert len(parsed.loads) == 4
    assert all(source.startswith("data:image/jpeg;base64,") for source in parsed.loads)
    assert not re.search(r"https?:|@import|url\(", page)
    assert "&lt;script&gt;alert(&#39;1&#39;)" in page
    assert "&lt;p&gt;</td>" in page


def test_the_verdict_comes_first_and_names_what_was_found() -> None:
    page = re.sub(r"\s+", " ", render(findings(), PICTURES))
    verdict = page[page.index("<body>") : page.index("<h2>Images</h2>")]
    assert "would mislead" in verdict
    assert "46 of 54 normal test images are exact copies of 19 training images" in verdict
    assert "2 are altered copies of 2 training images" in verdict
    assert "adenocarcinoma and large cell carcinoma" in verdict
    assert "median 10 in train, 20.25 in test" in verdict
    assert (
        "5 test images are copies of validation images or show the same patients; the test is then" in verdict
    )
    assert "0.50 (0.40 to 0.60, few)" in page
    assert "rests on 30 independent images of each side" in page
    assert "not assessed: there are 3" in page
    assert "3,700 of them examined" in page


def test_long_lists_are_cut_and_the_rest_is_counted() -> None:
    page = render(findings(groups=GROUPS_SHOWN + 3, members=MEMBERS_SHOWN + 1), PICTURES)
    assert page.count('<section class="group') == GROUPS_SHOWN
    assert page.count("<figure>") == GROUPS_SHOWN * MEMBERS_SHOWN
    assert "3 more groups stand in" in page
    assert "and 1 more image" in page


@pytest.mark.parametrize("width", [1280, 690])  # a laptop; a sheet of A4
def test_a_browser_shows_every_picture_and_nothing_overflows(tmp_path: Path, width: int) -> None:
    if CHROMIUM is None:
        pytest.skip("no browser here")
    told = (
        "<script>addEventListener('load', () => { document.title = JSON.stringify(["
        "document.documentElement.scrollWidth <= innerWidth,"
        "[...document.images].every(image => image.complete && image.naturalWidth > 0),"
        "[...document.querySelectorAll('table')].every(one => one.scrollWidth <= document.body.clientWidth)"
        "]) })</script>"
    )
    page = tmp_path / "page.html"
    page.write_text(render(findings(members=9), PICTURES) + told)
    done = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/profile"),
            *(f"--window-size={width},900", "--virtual-time-budget=2000", "--dump-dom", page.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "<title>[true,true,true]</title>" in done.stdout
