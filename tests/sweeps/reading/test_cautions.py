"""What stands before every number of a sweep: whether its best may be guessing, and of its images."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ctexp.evaluation.predictions import Predictions
from ctexp.sweeps.reading import cautions as module
from ctexp.sweeps.reading.cautions import cautions
from ctexp.sweeps.reading.opened import Opened
from ctexp.sweeps.reading.standing import Standing
from ctexp.sweeps.reading.telling import ties
from ctexp.sweeps.trials import Row
from tests import judged
from tests.sweeps.reading.samples import a_sweep, a_trial


def blind(seed: int) -> Predictions:
    """Answers that know nothing, and are always the same class."""
    table = judged.predictions(80, 0.0, seed)
    return replace(table, logits=table.logits * np.float32(0.01) + np.array([9, 0, 0, 0], np.float32))


def a_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: dict[int, list[Predictions]]) -> Opened:
    def answers(_opened: Opened, row: Row) -> list[Predictions]:
        return said[row.number]

    monkeypatch.setattr(module, "tables", answers)
    return a_sweep(tmp_path / "runs", [a_trial(number, {}, 0.5 - number / 100) for number in said])


def test_a_best_that_may_be_guessing_is_said_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = {
        0: [judged.predictions(80, 0.0, 5)],
        1: [blind(1)],
        2: [blind(2)],
        3: [judged.predictions(80, 0.0, 6)],
    }
    [line] = cautions(a_study(tmp_path, monkeypatch, said), 0.05)
    assert line.startswith(
        "2 of 4 finished trials give every image the same class; the best, trial 0, is not"
    )
    assert "not established to be better than guessing" in line
    assert "the best of 4 has to be below 0.013" in line


def test_one_that_ranks_the_images_knows_something_though_it_answers_one_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = judged.predictions(80, 2.0, 5)
    shifted = replace(known, logits=known.logits + np.array([50, 0, 0, 0], np.float32))
    assert cautions(a_study(tmp_path, monkeypatch, {0: [shifted], 1: [blind(1)]}), 0.05) == ()


def test_nothing_is_said_of_answers_that_cannot_be_read(tmp_path: Path) -> None:
    assert cautions(a_sweep(tmp_path / "runs"), 0.05) == ()
    gone = a_trial(0, {}, 0.5, runs={"s42": "gone_20261122-000000_abcdef"})
    assert cautions(a_sweep(tmp_path / "runs", [gone]), 0.05) == ()


def test_a_runner_up_among_equals_is_told_as_one_of_them() -> None:
    rows = [a_trial(number, {}, value) for number, value in enumerate((0.25, 0.27, 0.25, 0.25))]
    found = Standing(rows[1], rows[0], 4, None, 0, None, False, "", tied=(0, 2, 3))
    assert ties(found) == "trials 0, 2 and 3 have the same value; 0 is called the runner-up as the first"
    best = replace(found, best=rows[0], rival=rows[2])
    assert ties(best).endswith("0 is called the best as the first")
    assert ties(replace(found, tied=())) == ""
    many = replace(found, tied=tuple(range(20)))
    assert "6, 7 and 12 more have the same value" in ties(many)
