from fractions import Fraction

import numpy as np
import pytest

from ctexp.core.errors import UsageError
from ctexp.data.windows import Window, parse


def exactly(values: list[int], level: Fraction, width: Fraction) -> list[int]:
    """The rule in rational numbers; Python rounds halves to even too."""
    low = level - width / 2
    return [round(min(max((value - low) * 255 / width, Fraction(0)), Fraction(255))) for value in values]


@pytest.mark.parametrize(
    "text", ["-600,1500", "40,400", "127.5,255", "32768,65535", "0,1", "0.5,3", "-1e3,2e3"]
)
def test_the_window_is_linear_clipped_and_rounded_exactly(text: str) -> None:
    level, width = (Fraction(part) for part in text.split(","))
    values = list(range(-3100, 3100)) if level < 1000 else list(range(0, 65536, 7))

    assert parse(text).apply(values).tolist() == exactly(values, level, width)


def test_the_ends_and_the_middle() -> None:
    lung = parse("lung")

    assert lung.apply([-1351, -1350, -600, 150, 151]).tolist() == [0, 0, 128, 255, 255]
    assert lung.apply(np.full((2, 3), -600.0)).shape == (2, 3)


def test_halves_go_to_the_even_level() -> None:
    assert Window(255, 510).apply([1, 3, 5]).tolist() == [0, 2, 2]


def test_the_named_windows() -> None:
    assert str(parse("lung")) == "-600,1500"
    assert str(parse(" Mediastinum ")) == "40,400"
    assert parse(str(parse("lung"))) == Window(-600, 1500)


@pytest.mark.parametrize("text", ["-600,1500", "0.5,3", "-1024.25,0.125", "1e+22,7"])
def test_a_window_reads_what_it_writes(text: str) -> None:
    window = parse(text)
    assert parse(str(window)) == window


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("lnug", "did you mean 'lung'"),
        ("", "LEVEL,WIDTH"),
        ("40", "LEVEL,WIDTH"),
        ("40,400,4", "LEVEL,WIDTH"),
        ("40;400", "LEVEL,WIDTH"),
        ("nan,400", "LEVEL,WIDTH"),
        ("40,inf", "LEVEL,WIDTH"),
        ("40,0", "width 0 is not positive"),
        ("1500,-600", "width -600 is not positive"),
    ],
)
def test_what_is_no_window_is_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError) as failure:
        parse(text)
    assert says in " ".join(failure.value.lines())
