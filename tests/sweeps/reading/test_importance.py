"""What mattered: told where the parameters foretell something, and not of noise or of a few trials."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from ctexp.sweeps.reading import importance as module
from ctexp.sweeps.reading.importance import FEWEST, FLOOR, importance
from ctexp.sweeps.reading.opened import Opened
from ctexp.sweeps.space import Values
from tests.sweeps.reading.samples import FILE, a_sweep, a_trial, searched


def worth(values: Values) -> float:
    lr = values["optimizer.lr"]
    assert isinstance(lr, float)
    return 0.8 - 0.05 * (math.log10(lr) + 3.2) ** 2


@pytest.fixture(autouse=True)
def few_forests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FORESTS", 3)


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    its = a_sweep(tmp_path / "runs")
    return replace(its, rows=tuple(searched(its, 40, worth, 0.01)))


def test_what_decides_comes_first_with_a_range_and_equal_trials_give_equal_answers(opened: Opened) -> None:
    found = importance(opened)
    assert {its.key for its in found.shares} == {"optimizer.lr", "optimizer.weight_decay", "loss"}
    first, *others = found.shares
    assert first.key == "optimizer.lr"
    assert first.value > 0.7
    assert all(its.low <= its.value <= its.high for its in found.shares)
    assert all(its.high < first.low for its in others)
    assert found.explained is not None
    assert FLOOR < found.explained.low <= found.explained.value <= found.explained.high
    assert found.explained.value > 0.5
    assert importance(opened) == found


def test_of_noise_no_parameter_is_said_to_matter(opened: Opened) -> None:
    noisy = replace(opened, rows=tuple(searched(opened, 60, lambda _: 0.5, 0.1)))
    found = importance(noisy)
    assert found.shares == ()
    assert "the differences may be noise: R² -0." in found.why


def test_of_what_is_hardly_foretold_nothing_is_said_to_matter(opened: Opened) -> None:
    """A small part of the variance is real, and a single forest may say so; its shares would be noise."""
    faint = replace(opened, rows=tuple(searched(opened, 60, worth, 0.15)))
    found = importance(faint)
    assert found.shares == ()
    assert found.explained is not None
    assert found.explained.low < FLOOR
    assert "shares are told where all forests reach 0.25" in found.why


def test_of_a_few_trials_nothing_is_told(opened: Opened) -> None:
    few = replace(opened, rows=opened.rows[:10])
    found = importance(few)
    assert found.shares == ()
    assert found.explained is None
    assert found.why == f"{len(few.ranked)} finished trials, and {FEWEST} are the fewest for 3 parameters"
    alike = replace(opened, rows=tuple(a_trial(i, {"loss": "focal"}, 0.5) for i in range(20)))
    assert "no parameter was tried" in importance(alike).why


def test_a_parameter_that_does_not_always_apply_is_left_out_and_named(tmp_path: Path) -> None:
    file = FILE.replace("ctexp:\n", "ctexp:\n  conditions: {optimizer.weight_decay: \"loss == 'focal'\"}\n")
    its = a_sweep(tmp_path / "runs", file=file)
    rows = [
        row if row.values["loss"] == "focal" else replace(row, values=_without(row.values))
        for row in searched(its, 50, worth, 0.01)
    ]
    found = importance(replace(its, rows=tuple(rows)))
    assert {share.key for share in found.shares} == {"optimizer.lr", "loss"}
    assert len(found.left_out) == 1
    assert found.left_out[0].startswith("optimizer.weight_decay: applies to ")


def _without(values: Values) -> Values:
    return {key: value for key, value in values.items() if key != "optimizer.weight_decay"}
