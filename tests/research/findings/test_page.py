"""Pages that people and a program write together: people's bytes come out as they went in, or it refuses."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctexp.core.errors import DataError
from ctexp.research.findings.page import Page
from tests.judged import refusal

HEAD, END = b"<!-- ctexp head -->", b"<!-- ctexp end sha256=" + b"0" * 64 + b" -->"
ENTRY = b"<!-- ctexp entry 1 state=0123456789ab after=000000000000 -->"

# What people may write, marks and half marks included, in pieces that lines are made of.
PIECES = st.sampled_from(
    [
        *(
            b"words",
            "größer ≥ 0,9 \U0001fac1".encode(),
            b"\xff\xfe",
            b"",
            b"    ",
            b"> ",
            b"\t",
            b"\r",
            b"\0",
        ),
        *(HEAD, b"`" + HEAD + b"`", b"<!-- ctexp", b"<!-- mine -->", END, ENTRY, b"<!-- ctexp sources -->"),
        *(b"```", b"~~~ text", b"0.504[^0123456789]", b"# A heading", b"\xef\xbb\xbf", b"--> <!--"),
    ]
)
LINES = st.lists(st.lists(PIECES, min_size=1, max_size=3).map(b"".join), max_size=8)
TEXTS = st.builds(
    lambda lines, ends, last: b"".join(line + end for line, end in zip(lines, ends, strict=False)) + last,
    LINES,
    st.lists(st.sampled_from([b"\n", b"\n", b"\r\n"]), min_size=8, max_size=8),
    st.sampled_from([b"", b"no line end", b"\r\n"]),
)
WORDS = st.binary(max_size=60).filter(lambda text: b"<" not in text) | TEXTS


def people(page: Page) -> bytes:
    return page.bom + b"".join(text for _, text in page.prose())


def written(page: Page, head: str = "A head.", entry: str = "An entry.", sources: str = "Sources.") -> Page:
    page = page.with_block("head", head).with_entry(entry, "0123456789ab")
    return page.with_block("sources", sources)


def parsed(content: bytes) -> Page | None:
    try:
        return Page.parse(content, "FINDINGS.md")
    except DataError:
        return None


def test_an_entry_whose_number_is_none_is_a_damaged_mark() -> None:
    mark = ENTRY.replace(b"entry 1 ", b"entry " + b"9" * 5000 + b" ")
    assert "a damaged mark" in refusal(lambda: Page.parse(mark + b"\n" + END, "FINDINGS.md"), DataError)


@settings(max_examples=50)
@given(WORDS)
def test_whatever_people_wrote_is_kept_byte_for_byte_or_the_page_is_refused(text: bytes) -> None:
    page = parsed(text)
    if page is None:
        return
    assert page.content() == text
    if page.blocks:  # marks that happen to be whole, around a text that is not
        return
    once = written(page)
    again = parsed(once.content())
    assert again is not None
    assert people(again) == text
    assert [block.kind for block in again.blocks] == ["head", "entry", "sources"]
    assert all(block.whole for block in again.blocks)


@settings(max_examples=25)
@given(WORDS, WORDS, WORDS, WORDS, st.sampled_from([b"\n", b"\r\n"]))
def test_words_between_the_blocks_stay_where_they_are(
    first: bytes, second: bytes, third: bytes, last: bytes, end: bytes
) -> None:
    blocks = [block.raw.replace(b"\n", end) for block in written(Page.new("FINDINGS.md", "")).blocks]
    words = [text + end if text else text for text in (first, second, third)]
    whole = words[0] + blocks[0] + words[1] + blocks[1] + words[2] + blocks[2] + last
    page = parsed(whole)
    if page is None or [part for part in page.blocks if not part.whole] or len(page.blocks) != 3:
        return
    renewed = written(page, "Another head.", "A second entry.", "Other sources.")
    again = Page.parse(renewed.content(), "FINDINGS.md")
    assert people(again) == b"".join(words) + last
    assert [block.text for block in again.blocks] == [
        "Another head.",
        "An entry.",
        "A second entry.",
        "Other sources.",
    ]
    assert not list(again.broken_chain())


def test_any_digit_changed_in_generated_text_or_in_its_marks_is_found() -> None:
    page = written(Page.new("FINDINGS.md", "\nYours.\n\n"), "Accuracy 0.504 (95 % CI 0.386 to 0.615).")
    content = page.content()
    digits = [place for place, byte in enumerate(content) if chr(byte).isdigit()]
    assert len(digits) > 100
    for place in digits:
        other = b"%d" % ((int(chr(content[place])) + 1) % 10)
        found = parsed(content[:place] + other + content[place + 1 :])
        assert found is None or any(not block.whole for block in found.blocks)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_of_a_page_are_kept_and_do_not_count(end: str) -> None:
    page = written(Page.parse(f"One.{end}Two.{end}Three.{end}".encode(), "FINDINGS.md"))
    assert page.content().count(b"\r\n") == (0 if end == "\n" else page.content().count(b"\n"))
    for line_end in (b"\n", b"\r\n"):
        turned = page.content().replace(b"\r\n", b"\n").replace(b"\n", line_end)
        assert all(block.whole for block in Page.parse(turned, "FINDINGS.md").blocks)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"One.\n" + HEAD + b"\ntext\n", "FINDINGS.md:2: a block whose end mark is gone"),
        (b"text\n" + END, "FINDINGS.md:2: an end mark without its beginning"),
        (HEAD + b"\n" + HEAD + b"\n" + END, "a mark inside the block of line 1, whose end mark is gone"),
        (HEAD + b"\n" + END + b"\n" + HEAD + b"\n" + END, "FINDINGS.md:3: a second block of head"),
        (b"<!-- ctexp haed -->\n", "FINDINGS.md:1: a damaged mark"),
        (b" <!--ctexp head-->\n", "FINDINGS.md:1: a damaged mark"),
        ("<!-- ctexp head -->\n".encode("utf-16"), "FINDINGS.md:1: is UTF-16"),
        (b"```\n" + HEAD + b"\n" + END + b"\n", "a code block that nothing closes hides generated text"),
    ],
)
def test_damaged_marks_are_refused_with_their_line(content: bytes, problem: str) -> None:
    assert problem in refusal(lambda: Page.parse(content, "FINDINGS.md"), DataError)


@pytest.mark.parametrize("fence", [b"```", b"~~~~", b"   ```markdown"])
def test_marks_in_code_blocks_are_text(fence: bytes) -> None:
    close = fence.strip().replace(b"markdown", b"")
    text = b"So it looks:\n\n" + fence + b"\n" + HEAD + b"\n" + END + b"\n" + close + b"\n\nDone.\n"
    page = Page.parse(text, "FINDINGS.md")
    assert not page.blocks
    assert people(written(page)) == text


def test_what_somebody_wrote_into_generated_text_is_not_overwritten() -> None:
    page = written(Page.new("FINDINGS.md", "\n"))
    touched = Page.parse(page.content().replace(b"A head.", b"A head. My remark."), "FINDINGS.md")
    said = refusal(lambda: touched.with_block("head", "New."), DataError)
    assert "FINDINGS.md:1: generated text was changed by hand" in said
    assert "move what you wrote" in said


def test_a_block_that_was_deleted_with_its_marks_comes_back() -> None:
    page = written(Page.new("FINDINGS.md", "\nYours.\n"))
    head = page.of("head")
    assert head is not None
    left = Page.parse(page.content().replace(head.raw, b""), "FINDINGS.md")
    assert left.with_block("head", "A head.").content() == page.content()


@pytest.mark.parametrize("taken", [0, 1])
def test_history_that_was_cut_is_found(taken: int) -> None:
    page = written(Page.new("FINDINGS.md", "\n")).with_entry("Two.", "1" * 12).with_entry("Three.", "2" * 12)
    assert not list(page.broken_chain())
    cut = Page.parse(page.content().replace(page.entries[taken].raw, b""), "FINDINGS.md")
    assert list(cut.broken_chain())
