import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from ctexp.core.errors import UsageError
from ctexp.research.runner.logbook import FILE, Logbook
from tests.research.runner.desks import Said


class Follower:
    def __init__(self) -> None:
        self.told: list[tuple[Mapping[str, float | None], int]] = []

    def log(self, values: Mapping[str, float | None], step: int) -> None:
        self.told.append((values, step))


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / FILE).read_text().splitlines()]


def test_every_call_is_a_line_at_once_under_the_functions_name(tmp_path: Path) -> None:
    follower, said = Follower(), Said()
    book = Logbook(tmp_path, "e_spread", follower, said)
    book.log({"loss": np.float32(0.5), "accuracy": float("nan")}, None)
    assert [{key: line[key] for key in line if key != "time"} for line in lines(tmp_path)] == [
        {"step": 1, "e_spread/loss": 0.5, "e_spread/accuracy": None}
    ]
    book.log({"loss": 1}, 10)
    book.log({"loss": 2}, None)
    assert [line["step"] for line in lines(tmp_path)] == [1, 10, 11]
    assert follower.told[1:] == [({"e_spread/loss": 1}, 10), ({"e_spread/loss": 2}, 11)]
    assert said == ["log_metrics: accuracy is nan; it is kept as null"]


def test_all_that_is_no_number_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    book = Logbook(tmp_path, "e_spread", Follower(), Said())
    with pytest.raises(UsageError) as refused:
        book.log({"loss": "low", "": 1, "fine": 1, "all": [1, 2]}, None)
    assert refused.value.problems == (
        "log_metrics: loss: a number is expected, got str",
        "log_metrics: '' is no name",
        "log_metrics: all: one number is expected, got 2 of them",
    )
    assert not (tmp_path / FILE).exists()
