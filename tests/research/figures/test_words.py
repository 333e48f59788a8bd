"""Numbers in sentences: never without an interval, and read back as they were written."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ctexp.research.figures import Figure, quotes

SURE = Figure(value=0.50426, low=0.38582, high=0.61491)
SPECS = ["", ".0f", ".2f", ".5f", "+", "+.2f", ".1%", "%", "+.0%", ".9f"]


@pytest.mark.parametrize(
    ("figure", "spec", "said"),
    [
        (SURE, "", "0.504 (95 % CI 0.386 to 0.615)"),
        (SURE, ".2f", "0.50 (95 % CI 0.39 to 0.61)"),
        (SURE, ".1%", "50.4 % (95 % CI 38.6 to 61.5 %)"),
        (Figure(value=-0.0001, low=-0.2, high=0.1), "+.2f", "+0.00 (95 % CI -0.20 to +0.10)"),
        (Figure(value=0.5), "", "0.500 (no interval)"),
        (Figure(value=12.0, exact=True, digits=0), "", "12"),
        (Figure(value=None), "", "undefined"),
    ],
)
def test_a_figure_says_its_interval_and_cites_itself(figure: Figure, spec: str, said: str) -> None:
    assert f"{figure:{spec}}" == f"{said}[^{figure.mark}]"
    assert figure.said(spec) == said


@pytest.mark.parametrize("spec", ["d", ".2e", "10.2f", ">8", ".10f", "-"])
def test_other_forms_are_refused(spec: str) -> None:
    with pytest.raises(ValueError, match=r"takes the forms"):
        format(SURE, spec)


@settings(max_examples=50)
@given(
    st.tuples(st.floats(-1e6, 1e6), st.floats(0, 1e5), st.floats(0, 1e5), st.booleans(), st.booleans()),
    st.sampled_from(SPECS),
    st.text(),
)
def test_what_was_written_is_read_back(
    numbers: tuple[float, float, float, bool, bool], spec: str, before: str
) -> None:
    value, below, above, exact, bounded = numbers
    ends = (value - below, value + above) if bounded and not exact else (None, None)
    figure = Figure(value=value, low=ends[0], high=ends[1], exact=exact)
    (*_, quote) = quotes(f"{before} {figure:{spec}}, and so on")
    assert quote.mark == figure.mark
    assert quote.said == figure.said(spec) == figure.as_quoted(quote)


@pytest.mark.parametrize(
    "text",
    ["0.51 (95 % CI 0.39 to 0.61)", "0.50 (95 % CI 0.39 to 0.62)", "0.6", "0.5042", "51 %", "-0.50", "+0.51"],
)
def test_a_wrong_digit_is_not_what_it_would_have_to_say(text: str) -> None:
    (quote,) = quotes(f"as {text}[^{SURE.mark}] says")
    assert quote.said == text != SURE.as_quoted(quote)


@pytest.mark.parametrize("text", ["0.504", "50.4 %", "0.50426", "+0.504", "0.504 (95 % CI 0.386 to 0.615)"])
def test_people_may_cite_the_number_alone_and_in_other_forms(text: str) -> None:
    (quote,) = quotes(f"as {text}[^{SURE.mark}] says")
    assert quote.said == SURE.as_quoted(quote) == text


@pytest.mark.parametrize(
    "text", ["about half", "0.504 or so", "1.2.3", "0.504 (0.386 to 0.615)", "0,504", "1e3"]
)
def test_a_mark_without_a_number_that_can_be_read_is_found(text: str) -> None:
    (quote,) = quotes(f"{text}[^{SURE.mark}]")
    assert quote.said != SURE.as_quoted(quote)


def test_a_definition_is_no_citation_and_a_colon_makes_none_of_it() -> None:
    assert not list(quotes(f"One.\n  [^{SURE.mark}]: 0.504 of a run"))
    assert not list(quotes(f"0.504\\[^{SURE.mark}]"))
    (quote,) = quotes(f"It reached 0.504[^{SURE.mark}]: a lot.")
    assert quote.said == "0.504"


def test_every_part_of_a_figure_counts_for_its_mark_but_how_many_digits_are_told() -> None:
    changes = ({"value": 0.5}, {"low": 0.3}, {"high": 0.7}, {"exact": True})
    others = {SURE.model_copy(update=change).mark for change in changes}
    assert SURE.model_copy(update={"digits": 5}).mark == SURE.mark
    assert len(others | {SURE.mark}) == 5


@pytest.mark.parametrize("ends", [(0.6, 0.7), (0.3, None), (None, 0.7), (0.7, 0.3)])
def test_an_interval_holds_the_value_or_there_is_none(ends: tuple[float | None, float | None]) -> None:
    with pytest.raises(ValidationError, match="interval"):
        Figure(value=0.5, low=ends[0], high=ends[1])


@pytest.mark.parametrize("minus", ["-", "\N{MINUS SIGN}", "\N{EN DASH}"])
def test_a_sign_counts_however_it_is_typed(minus: str) -> None:
    (quote,) = quotes(f"by {minus}0.50[^{SURE.mark}]")
    assert quote.said == "-0.50" != SURE.as_quoted(quote)
    (between,) = quotes(f"from 0.1{minus}0.50[^{SURE.mark}]")
    assert between.said == "0.50" == SURE.as_quoted(between)


def test_a_mark_is_the_same_in_capitals_as_markdown_has_it() -> None:
    (quote,) = quotes(f"0.6[^{SURE.mark.upper()}]")
    assert (quote.mark, quote.said) == (SURE.mark, "0.6")
