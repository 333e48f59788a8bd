"""Conditions hold of what they say, of nothing else, and can do no harm."""

import pytest

from ctexp.core.errors import UsageError
from ctexp.sweeps.file.expressions import read
from ctexp.sweeps.space import Values

VALUES: Values = {"loss": "focal", "optimizer.lr": 0.01, "data.batch_size": 8, "model.pretrained": True}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("loss == 'focal'", True),
        ("loss != 'focal'", False),
        ("loss in ['focal', 'dice']", True),
        ("loss not in ('focal', 'dice')", False),
        ("'foc' in loss", True),
        ("optimizer.lr * data.batch_size < 0.1", True),
        ("optimizer.lr * data.batch_size ** 2 <= 0.5", False),
        ("data.batch_size % 8 == 0 and not loss == 'dice'", True),
        ("data.batch_size // 3 == 2 or loss == 'dice'", True),
        ("4 < data.batch_size <= 8", True),
        ("-data.batch_size < -9", False),
        ("model.pretrained", True),
        ("model.pretrained == true", True),
        ("loss.gamma == null", True),
        ("loss == 'focal' or data.batch_size / 0 > 1", True),
        ("data.batch_size / 0 > 1", False),
        ("10.0 ** 400 > data.batch_size", False),
        ("loss > 3", False),
        ("loss * 3 == 'focalfocalfocal'", False),
        ("(optimizer.lr - 1) ** 0.5 > 3", False),
    ],
)
def test_what_holds(text: str, expected: bool) -> None:
    assert read(text, lacking=False).holds(VALUES) is expected


def test_a_parameter_that_does_not_apply_breaks_no_constraint_and_meets_no_condition() -> None:
    assert read("loss.gamma < 3", lacking=True).holds({"loss": "dice"})
    assert not read("loss.gamma < 3", lacking=False).holds({"loss": "dice"})
    assert not read("loss.gamma < 3", lacking=True).holds({"loss.gamma": 4.0})
    assert read("loss != 'focal' or loss.gamma < 3", lacking=False).holds({"loss": "dice"})


def test_the_parameters_it_speaks_of() -> None:
    assert read("a.b * c > d.e.f and a.b < 1", lacking=True).names == ("a.b", "c", "d.e.f")


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "open('x')",
        "loss.upper() == 'x'",
        "[x for x in loss]",
        "lambda: loss",
        "loss if data else loss",
        "f'{loss}'",
        "loss[0] == 'f'",
        "{loss: 1}",
        "loss := 1",
        "'x'.y == loss",
        "loss is None",
        "b'x' == loss",
        "1 < 2",
        "loss ==",
        "(" * 300 + "loss" + ")" * 300,
        "loss == 'x'" + " or loss == 'x'" * 100,
    ],
)
def test_what_is_no_condition(text: str) -> None:
    with pytest.raises(UsageError):
        read(text, lacking=True)


def test_what_cannot_be_computed_holds_of_nothing_though_every_parameter_applies() -> None:
    assert not read("loss > 3", lacking=True).holds(VALUES)
    assert not read("loss + 3 > 3", lacking=True).holds(VALUES)


@pytest.mark.parametrize("text", ["-" * 900 + "a > 0", "not " * 200 + "a", "a" + ".b" * 400 + " > 0"])
def test_what_is_nested_too_deep_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="nested more than 100 deep"):
        read(text, lacking=True)


def test_no_number_grows_for_ever() -> None:
    assert not read("9 ** 9 ** 9 ** 9 > a", lacking=True).holds({"a": 1})
