"""docs/errors.md says what the catalogue says."""

from ctexp.core.failures.catalogue import PAGE, entries
from ctexp.core.failures.page import page
from tests.project import HERE


def test_the_page_is_that_of_the_catalogue() -> None:
    made = "python -m ctexp.core.failures.page docs/errors.md"
    assert (HERE / PAGE).read_text() == page(), f"write it again: {made}"
    assert made in page()


def test_every_entry_has_the_heading_that_hints_point_to() -> None:
    headings = [line.removeprefix("### ") for line in page().splitlines() if line.startswith("### ")]
    assert headings == [entry.id for entry in entries()]


def test_a_reader_sees_no_gaps_that_only_a_message_fills() -> None:
    told = page()
    assert "PATH is not there." in told
    assert "{" not in told.replace('get_context("spawn")', "")
