"""Numbers and names as they stand in sentences."""

from types import SimpleNamespace

import pytest

from ctexp.reports import wording
from ctexp.reports.operating import Share


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("macro_f1 0.5 -> 0.3, -0.2 (-0.4 to -.1)", "Macro F1 0.5 → 0.3, −0.2 (−0.4 to −.1)."),
        ("test/accuracy 0.484", "Accuracy on test 0.484."),
        ("a run of 2026-11-21.", "A run of 2026-11-21."),
        ("", ""),
    ],
)
def test_a_line_of_a_terminal_becomes_a_sentence(said: str, told: str) -> None:
    assert wording.sentence(said) == told


def test_a_difference_has_a_true_minus_and_zero_no_sign() -> None:
    assert (
        wording.signed(SimpleNamespace(difference=-0.0001, low=-0.25, high=0.25))
        == "0.000 (−0.250 to +0.250)"
    )
    assert wording.signed(SimpleNamespace(difference=None)) == "–"


def test_exact_halves_are_rounded_as_a_browser_does() -> None:
    assert wording.percent(1 / 16) == "6.3 %"  # 6.25; Python alone would say 6.2
    assert wording.bounds(Share(1, 16, 1 / 16, 0.0, 0.5)) == "0.0 to 50.0 %, 1 of 16"


def test_what_is_unknown_is_a_dash() -> None:
    assert (
        wording.percent(None)
        == wording.measured(None)
        == wording.unit(None, "")
        == wording.p_value(None)
        == "–"
    )
